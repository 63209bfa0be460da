"""The knowledge as one site uses it: the files, with what its settings decide. Judges nothing; knows no HTTP."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version

from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Knowledge, Quieting
from cds_service.knowledge.quieting_file import with_days
from cds_service.settings import Settings

_DISTRIBUTION = "cytopenia-cds"


def load_site_knowledge(settings: Settings) -> Knowledge:
    """The knowledge files and the site's concept maps, with what the site decides by a setting.

    Raises:
        cds_service.knowledge.strict_files.KnowledgeError: the knowledge can't be used.
    """
    knowledge = load_knowledge(settings.knowledge_dir, settings.concept_maps)
    if settings.accepted_statuses is not None:
        knowledge = replace(knowledge, accepted_statuses=frozenset(settings.accepted_statuses))
    if settings.not_evaluable_card is not None:
        guideline = replace(knowledge.guideline, card_when_not_evaluable=settings.not_evaluable_card)
        knowledge = replace(knowledge, guideline=guideline)
    return replace(knowledge, quieting=_quieting(settings, knowledge))


def _quieting(settings: Settings, knowledge: Knowledge) -> Quieting | None:
    if not (settings.memory and settings.quieting) or knowledge.quieting is None:
        return None
    return with_days(knowledge.quieting, settings.quiet_days)


def versions(knowledge: Knowledge) -> Mapping[str, str]:
    """The versions of software, knowledge and concept maps, for `--version` and whoever holds the operator's token."""
    told = {"software": version(_DISTRIBUTION), "knowledge": knowledge.version}
    maps = (f"{found} ({found.codes} of {found.codes + found.unused} codes used)" for found in knowledge.concept_maps)
    return told | ({"conceptMaps": ", ".join(maps)} if knowledge.concept_maps else {})
