"""The closed list of reasons why a result isn't used, for whoever reads the answer's `notUsed`.

Room: knowledge, a part of `statements_page`. What a reason means stands below it where it is defined.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from cds_service.hematology.lab_results import SetAsideReason
from cds_service.knowledge.wording import load_wording


def reasons_page(data: Path) -> Iterator[str]:
    """The page's lines: code, meaning, words on a card, in the order in which the rules are applied."""
    meanings, said = meanings_of_reasons(), load_wording(data).sentences
    yield from ("# Why a result isn't used", "")
    yield "`notUsed` of the answer's extension names the results inside the lookback that were set aside, newest first,"
    yield "fifty at most, and one of these reasons for each: the first that applies, in this order. The list is closed;"
    yield "a new reason is a change of the interface and stands in the changelog."
    yield from ("", "| reason | meaning | on a card |", "|---|---|---|")
    for reason in SetAsideReason:
        yield f"| `{reason}` | {meanings[reason]} | {said[f'reasons.{reason}']} |"


def meanings_of_reasons() -> Mapping[SetAsideReason, str]:
    """The sentence below each reason. KeyError on a reason without one, where it is looked up."""
    body = ast.parse(inspect.getsource(SetAsideReason)).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    return {
        SetAsideReason[target.id]: after.value.value
        for before, after in pairwise(statements)
        if isinstance(before, ast.Assign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        for target in before.targets
        if isinstance(target, ast.Name) and isinstance(after.value.value, str)
    }
