"""The pages for people hold everything the knowledge says of itself, and nothing active."""

from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from cds_service.services.about_pages import render_about, render_causes
from tests.builders.charts_for_cards import knowledge

ABOUT, CAUSES = render_about(knowledge(), "0.1.0"), render_causes(knowledge())


class Page(HTMLParser):
    """Tags, ids, in-page links and the text of a page; complains about tags that don't match."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("html", [ABOUT, CAUSES], ids=["about", "causes"])
def test_a_page_is_well_formed_self_contained_and_accessible(html: str) -> None:
    page = Page(html)
    assert not {"script", "img", "link", "iframe", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"src", "style"}]
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("title") == 1
    assert ("lang", "en") in page.attributes
    assert "prefers-color-scheme: dark" in html
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = [str(value) for name, value in page.attributes if name == "href"]
    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= set(ids)


def test_about_names_every_criterion_with_its_provenance_and_every_statement() -> None:
    page = Page(ABOUT)
    for statement in knowledge().statements.values():
        assert statement.paraphrase in page.text
        assert ("id", statement.id) in page.attributes
    assert "Leukocytes low: below 4.0 ×10⁹/L" in page.text
    assert "Platelets low: below 150 ×10⁹/L" in page.text
    assert page.text.count("site default") > 20
    for name in ("LOINC", "SNOMED", "UCUM", "WHO Collaborating Centre", "CTCAE", "0.1.0", knowledge().version):
        assert name in page.text


def test_about_says_that_drafts_are_drafts_and_no_more_once_all_is_approved() -> None:
    assert "Not clinically approved" in ABOUT
    assert "Not clinically approved" not in render_about(replace(knowledge(), drafts=()), "0.1.0")


def test_causes_names_every_group_every_named_cause_and_all_mechanisms() -> None:
    page = Page(CAUSES)
    for group in knowledge().guideline.groups:
        assert group.name in page.text
        assert [cause for cause in group.named_causes if cause not in page.text] == []
    for mechanism in ("Reduced", "Increased", "Altered"):
        assert mechanism.lower() in page.text
    assert knowledge().statements["leukopenia-symptoms"].paraphrase in page.text
    assert knowledge().statements["leukopenia-primary"].paraphrase in page.text


def test_what_the_knowledge_says_is_text_in_a_page() -> None:
    group = replace(knowledge().guideline.groups[0], name="<b>bold</b>")
    guideline = replace(knowledge().guideline, groups=(group,))
    assert "&lt;b&gt;bold&lt;/b&gt;" in render_causes(replace(knowledge(), guideline=guideline))


@pytest.mark.parametrize("root", ["", "/cds"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_pages_link_to_each_other_with_and_without_a_final_slash(root: str, slash: str) -> None:
    """A relative link on /about/ would lead to /about/about/causes."""
    links = {
        "about": Page(render_about(knowledge(), "0.1.0", root)).attributes,
        "about/causes": Page(render_causes(knowledge(), root)).attributes,
    }
    others = {"about": "about/causes", "about/causes": "about"}
    for page, attributes in links.items():
        found = [
            urljoin(f"https://cds.example.org{root}/{page}{slash}", str(to))
            for name, to in attributes
            if name == "href"
        ]
        assert f"https://cds.example.org{root}/{others[page]}" in found
