"""The door of the knowledge room: a directory of data files in, one frozen `Knowledge` out, or an error that helps.

Room: knowledge. Knows which files there are and which pieces must agree, refuses to know how each is read.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from cds_service.knowledge.approvals import drafts
from cds_service.knowledge.cause_catalogue import CodedCauses
from cds_service.knowledge.cause_groups import GroupFile, load_cause_groups, opposites
from cds_service.knowledge.cause_rows import cause_rows, refuse_opposites
from cds_service.knowledge.code_systems import load_code_systems
from cds_service.knowledge.concept_maps import read_concept_maps, with_concept_maps
from cds_service.knowledge.guideline_files import guideline, load_criteria
from cds_service.knowledge.lab_codes import lab_codes
from cds_service.knowledge.model import Approval, Knowledge
from cds_service.knowledge.order_codes import load_orders
from cds_service.knowledge.provenance import load_statements, refuse_missing
from cds_service.knowledge.quieting_file import load_quieting
from cds_service.knowledge.screening import load_screening
from cds_service.knowledge.strict_files import KnowledgeError, read_toml
from cds_service.knowledge.units import load_units
from cds_service.knowledge.value_sets import ValueSet, load_value_sets
from cds_service.knowledge.wording import load_templates, load_wording

SHIPPED = Path(__file__).parent / "data"
EDITION_FILE = "edition.toml"
SINGLE_FILES = ("systems.toml", "units.toml", "screening.toml", "orders.toml", "quieting.toml")


def load_knowledge(directory: Path | None = None, concept_maps: Sequence[Path] = ()) -> Knowledge:
    """Loads and checks a knowledge directory, the shipped one by default, with the site's concept maps.

    Raises KnowledgeError, whose message names file and key, when anything in them is wrong.
    """
    root = directory or SHIPPED
    if not root.is_dir():
        raise KnowledgeError("knowledge directory", "", "there is no such directory")
    knowledge = _load(root)
    if not concept_maps:
        return knowledge
    return with_concept_maps(knowledge, read_concept_maps(concept_maps), opposites(load_cause_groups(root)))


def _load(root: Path) -> Knowledge:
    statements, wording, criteria = load_statements(root), load_wording(root), load_criteria(root)
    groups, value_sets = load_cause_groups(root), load_value_sets(root)
    causes, systems_approval = _load_causes(root, value_sets, groups)
    units, units_approval = load_units(root)
    words, words_approval = load_screening(root)
    orders, orders_approval = load_orders(root)
    refuse_missing((*criteria.cited, *_group_citations(groups), *wording.cited), statements)
    quieting, quieting_approval = load_quieting(root, wording.sentences)
    approvals = (systems_approval, units_approval, words_approval, orders_approval, quieting_approval)
    single_files = zip(SINGLE_FILES, approvals, strict=True)
    return Knowledge(
        version=_version(root),
        guideline=guideline(criteria, tuple(group.group for group in groups.values())),
        lab_codes=lab_codes(value_sets),
        units=units,
        causes=causes,
        words=words,
        plausibility=criteria.plausibility,
        accepted_statuses=criteria.accepted_statuses,
        statements=statements,
        orders=orders,
        wording=wording.sentences,
        templates=load_templates(root),
        quieting=quieting,
        drafts=drafts((*single_files, *criteria.approvals, *wording.approvals, *_approvals(groups, value_sets))),
    )


def _load_causes(
    root: Path, value_sets: tuple[ValueSet, ...], groups: dict[str, GroupFile]
) -> tuple[CodedCauses, Approval]:
    systems, approval = load_code_systems(root)
    rows = cause_rows(value_sets, groups, systems)
    causes = CodedCauses(systems, rows)
    refuse_opposites(rows, causes, groups)
    return causes, approval


def _group_citations(groups: dict[str, GroupFile]) -> list[tuple[str, str, str]]:
    return [
        (group.file, "statement", group.group.statement)
        for group in groups.values()
        if group.group.statement is not None
    ]


def _approvals(groups: dict[str, GroupFile], value_sets: tuple[ValueSet, ...]) -> list[tuple[str, Approval]]:
    by_group = [(group.file, group.approval) for group in groups.values()]
    return [*by_group, *((value_set.file, value_set.approval) for value_set in value_sets)]


def _version(root: Path) -> str:
    """Edition and the first 12 hexadecimal digits of a hash over every file's name and content."""
    table = read_toml(root, EDITION_FILE)
    edition = table.text("edition")
    table.finish()
    digest = hashlib.sha256()
    for name in sorted(_files(root)):
        content = (root / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{edition}+{digest.hexdigest()[:12]}"


def _files(root: Path) -> Iterator[str]:
    """The names of all files, without what is hidden: a mounted ConfigMap keeps its files in hidden folders."""
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                yield (Path(folder) / name).relative_to(root).as_posix()
