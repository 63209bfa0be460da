"""What the pages name exists: commands and their options, settings, other pages."""

import re
from pathlib import Path

import click
import pytest

from cds_service.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = set(re.findall(r"CDS_[A-Z_]+", (ROOT / "deploy" / "settings.example.env").read_text(encoding="utf-8")))


def _named(page: Path) -> list[str]:
    """The lines of fenced code that call the command line, from the command's name on."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [found[1] for line in lines if (found := re.search(r"\bcds-service\s+([a-z-][^#|>;&)`]*)", line))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_of_a_page_exist(page: Path) -> None:
    for line in _named(page):
        command: click.Command = main
        words = line.split()
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.commands.get(words[0]) or command.get_command(click.Context(command), words[0])
            assert found is not None, f"{line}: no command {words[0]}"
            command = found
            words.pop(0)
        known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)} | {"--help"}
        options = {word.split("=")[0] for word in words if word.startswith("--")}
        assert options <= known, f"{line}: {options - known}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_of_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {name.removesuffix("_FILE").rstrip("_") for name in re.findall(r"\bCDS_[A-Z][A-Z_]+\b", text)}
    assert {name for name in named if not any(one == name or one.startswith(f"{name}_") for one in SETTINGS)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [one for one in links if "://" not in one and not (page.parent / one).exists()] == []
