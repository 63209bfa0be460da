"""The site's files as a start or a reload finds them: copied aside, checked, and loaded by the processes that serve.

What was checked is what is loaded, also by a process that replaces a dead one when the files are others already.
Knows no process and no signal.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from cds_service.composition.parts import Parts, assemble_parts, utc_now
from cds_service.composition.site import Site, open_site
from cds_service.composition.traces import check_traces
from cds_service.knowledge.strict_files import KnowledgeError
from cds_service.records.stores import Stores, open_stores
from cds_service.settings import Settings
from cds_service.web.master import FilesRefused

MakeApp = Callable[[Settings, Parts], Flask]
"""Makes the app of these parts."""
_KINDS = {"CDS_TRUSTED_CLIENTS": "trusted clients", "CDS_SMART_REGISTRATIONS": "smart registrations"}


@dataclass(frozen=True)
class SiteGeneration:
    """The site's files at one time. `settings` name the copies, which lie in `folder`."""

    settings: Settings
    site: Site
    version: str
    folder: Path
    make_app: MakeApp

    def load(self) -> Flask:
        """The app, warmed up."""
        parts = assemble_parts(self.settings, self.site, utc_now)
        app = self.make_app(self.settings, parts)
        parts.warm_up()
        return app

    def discard(self) -> None:
        """Remove the copies."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Generations:
    """Makes one generation after another; `folder` is this run's own. What doesn't change with the files is kept."""

    settings: Settings
    records: Stores
    folder: Path
    make_app: MakeApp
    made: int = 0

    def check(self) -> SiteGeneration:
        """The files as they are now, checked until a card was composed with them.

        Raises:
            KnowledgeError: the knowledge, or a concept map, can't be used.
            ValueError: trusted clients, registrations or traces can't be used; the message begins with their setting.
        """
        check_traces(self.settings)
        self.made += 1
        folder = self.folder / f"generation-{self.made}"
        folder.mkdir()
        try:
            settings = _with_copies(self.settings, folder)
            site = open_site(settings, self.records, utc_now)
            parts = assemble_parts(settings, site, utc_now)
            parts.warm_up()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return SiteGeneration(settings, site, parts.versions["knowledge"], folder, self.make_app)

    def check_again(self) -> SiteGeneration:
        """The same for a reload.

        Raises:
            FilesRefused: of what kind the files are that can't be used.
        """
        try:
            return self.check()
        except Exception as error:  # whatever it is, those in service stay
            raise FilesRefused(_kind(error, self.settings)) from None


def check_files(settings: Settings, folder: Path) -> str:
    """Check the site's files and touch nothing else; the version of the knowledge.

    Raises:
        KnowledgeError: the knowledge, or a concept map, can't be used.
        ValueError: a setting, trusted clients or registrations can't be used.
    """
    records = open_stores(settings.database_url.get_secret_value())
    return Generations(settings, records, folder, lambda *_: Flask("checked")).check().version


def _kind(error: Exception, settings: Settings) -> str:
    if isinstance(error, KnowledgeError) and error.file in {path.name for path in settings.concept_maps}:
        return "concept maps"
    return _KINDS.get(str(error).partition(":")[0], "knowledge")


def _with_copies(settings: Settings, folder: Path) -> Settings:
    """The settings with knowledge and concept maps of the site copied to the folder; each keeps its file's name."""
    copies: dict[str, object] = {}
    if settings.knowledge_dir is not None:
        copies["knowledge_dir"] = _copy(settings.knowledge_dir, folder / "knowledge")
    if settings.concept_maps:
        copies["concept_maps"] = tuple(
            _copy(path, folder / str(number) / path.name) for number, path in enumerate(settings.concept_maps)
        )
    return settings.model_copy(update=copies)


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(exist_ok=True)
    try:
        if source.is_dir():  # a mounted ConfigMap keeps its files in hidden folders, with links to them
            return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*")))
        return Path(shutil.copyfile(source, target))
    except OSError:
        raise KnowledgeError(source.name, "", "it can't be read") from None
