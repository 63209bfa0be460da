"""The command `check-knowledge`: are the knowledge files sound, what is there, what is still a draft?

Room: knowledge, at its edge. Exit codes: 0 sound; 1 an error in a file, or drafts where approval is required.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from cds_service.hematology.criteria import Criterion
from cds_service.knowledge.cause_groups import load_cause_groups, opposites
from cds_service.knowledge.concept_map_table import concept_map_lines
from cds_service.knowledge.concept_maps import judge_concept_maps, read_concept_maps
from cds_service.knowledge.loader import SHIPPED, load_knowledge
from cds_service.knowledge.model import Knowledge
from cds_service.knowledge.strict_files import KnowledgeError
from cds_service.knowledge.value_sets import load_value_sets


@click.command()
@click.option(
    "--knowledge-dir",
    type=click.Path(path_type=Path),
    help="The knowledge to check. Default: the knowledge that is shipped.",
)
@click.option("--require-approval", is_flag=True, help="Fail while any piece is a draft.")
@click.option(
    "--concept-map", "concept_maps", multiple=True, metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A ConceptMap of the site (FHIR R4 JSON) to check too, and to show what it matches. Can be repeated.",
)  # fmt: skip
def check_knowledge_command(knowledge_dir: Path | None, require_approval: bool, concept_maps: tuple[Path, ...]) -> None:
    """Check the knowledge files, and a site's concept maps, without starting the service.

    Exit codes: 0 sound; 1 an error in a file (named with its key), or drafts where approval is required; 2 wrong usage.
    """
    try:
        _show_concept_maps(load_knowledge(knowledge_dir), concept_maps, knowledge_dir or SHIPPED)
        knowledge = load_knowledge(knowledge_dir, concept_maps)
    except KnowledgeError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Knowledge {knowledge.version}, sound.\n")
    for name, number, remark in _contents(knowledge, knowledge_dir or SHIPPED):
        click.echo(f"  {name:<14}{number:>5}  {remark}".rstrip())
    if not knowledge.drafts:
        click.echo("\nEverything is clinically approved.")
        return
    by_place = Counter(name.partition("/")[0] for name in knowledge.drafts)
    places = ", ".join(f"{place} ({number})" if number > 1 else place for place, number in sorted(by_place.items()))
    click.echo(f"\nNot clinically approved (draft): {len(knowledge.drafts)} pieces: {places}.")
    if require_approval:
        listed = "\n".join(f"  {name}" for name in knowledge.drafts)
        raise click.ClickException(f"approval is required, and these are drafts:\n{listed}")


def _show_concept_maps(knowledge: Knowledge, paths: tuple[Path, ...], root: Path) -> None:
    """Every row with what becomes of it. Those refused are an error, which the table stands before."""
    maps = read_concept_maps(paths)
    site = judge_concept_maps(maps, knowledge, opposites(load_cause_groups(root)))
    for found in maps:
        click.echo("\n".join(concept_map_lines(found, site.rows)) + "\n")


def _contents(knowledge: Knowledge, root: Path) -> Iterator[tuple[str, int, str]]:
    """Rows of the table: what, how many, a remark."""
    criteria = [value for value in vars(knowledge.guideline).values() if isinstance(value, Criterion)]
    defaults = sum(criterion.is_site_default for criterion in criteria)
    yield "criteria", len(criteria), f"{defaults} of them site defaults"
    groups = knowledge.guideline.groups
    yield "cause groups", len(groups), f"{sum(group.context_only for group in groups)} of them context only"
    value_sets = load_value_sets(root)
    codes = sum(len(include.concepts) for value_set in value_sets for include in value_set.includes)
    yield "value sets", len(value_sets), f"{codes} codes"
    yield "orders", len(knowledge.orders), ""
    yield "statements", len(knowledge.statements), "of the source document"
    yield "sentences", len(knowledge.wording), ""
    yield "templates", len(knowledge.templates), ""
