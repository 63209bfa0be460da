"""Text that tries to be more than text, and a chart that holds it wherever a chart can hold text. Synthetic."""

from collections.abc import Iterator
from typing import Any

from tests.builders import chart

MARK = "Zqmark"
"""In every hostile text, so that it is found wherever it goes."""
HOSTILE = {
    "script": f"{MARK}<script>alert(1)</script>",
    "image with a handler": f"<img src=x onerror=alert(1)>{MARK}",
    "unclosed tag": f"{MARK}<iframe src=//e.example/",
    "attribute break": f"\"'><svg onload=alert(1)>{MARK}",
    "entities": f"{MARK}&lt;b&gt;&#60;b&#x3e;&copy;",
    "comment": f"<!-- {MARK} --><![CDATA[x]]>",
    "markdown link": f"[{MARK}](https://e.example/x)",
    "script link": f"[{MARK}](javascript:alert(1))",
    "reference link": f"[{MARK}]\n\n[{MARK}]: https://e.example",
    "markdown image": f"![{MARK}](https://e.example/pixel.png)",
    "bare address": f"see https://e.example/{MARK} or www.e.example",
    "mail address": f"{MARK}@e.example <{MARK}@e.example>",
    "table break": f"{MARK} | x | y |\n| --- | --- |\n| z",
    "escaped table break": f"{MARK}\\| x \\\\| y",
    "heading and list": f"{MARK}\r\n\r\n# heading\r\n- item\r\n1. item\r\n> quote",
    "code": f"```\n{MARK}\n``` `x` ~~~",
    "emphasis": f"**{MARK}** __x__ ~~y~~ *z*",
    "another log line": f'{MARK}\r\n{{"event": "call", "level": "error", "status": 500}}',
    "terminal colours": f"\x1b[31m{MARK}\x1b[0m\x1b[2J\x1b[1;1H",
    "terminal title and link": f"\x1b]0;{MARK}\x07\x1b]8;;https://e.example\x1b\\x\x1b]8;;\x1b\\",
    "eight-bit controls": f"\x9b31m{MARK}\x9d0;x\x9c\x84\x85",
    "bidi controls": f"\u202e{MARK}\u202c\u2066x\u2069\u200f",
    "nothing to see": f"\u200b{MARK}\u200d\ufeff\u00ad\u2060\u3164\u115f\u2800",
    "line and paragraph separators": f"{MARK}\u2028x\u2029y\x0b\x0c",
    "Jinja": f"{{{{ 7919*6841 }}}} {{% raw %}}{MARK} {{# x #}}",
    "other templates": f"${{7919*6841}} <%= 7919*6841 %> #{{7919*6841}} %s {{0}} {MARK}",
    "console markup": f"[bold red]{MARK}[/bold red] [link=https://e.example]x[/link]",
    "a long word": MARK + "W" * 20_000,
    "many combining marks": MARK + "\u0301" * 500,
    "a formula": f'=HYPERLINK("https://e.example","{MARK}")',
}
TAGS = ("<script", "<img", "<iframe", "<svg", "<!")


def coded(text: str, **members: Any) -> dict[str, Any]:
    """A CodeableConcept that says this wherever it can."""
    return {"coding": [{"system": "urn:oid:1.2.3", "code": text, "display": text}], "text": text, **members}


def _free(text: str) -> dict[str, Any]:
    return {
        "text": {"status": "generated", "div": text},
        "identifier": [{"system": text, "value": text}],
        "note": [{"text": text, "authorString": text}],
        "performer": [{"reference": f"Practitioner/{text}", "display": text}],
        "interpretation": [coded(text)],
        "method": coded(text),
        "bodySite": coded(text),
        "referenceRange": [{"text": text, "low": {"value": 4, "unit": text}}],
        "device": {"display": text},
    }


def _named(code: str, text: str, system: str = chart.SYSTEMS["icd10cm"]) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def hostile_prefetch(text: str) -> dict[str, Any]:
    """A chart of low counts whose every text is this one, in what is shown, in what is set aside, and around it."""
    free = _free(text)
    wbc = {"coding": [{"system": "http://loinc.org", "code": "6690-2", "display": text}], "text": text}
    counts: list[dict[str, Any]] = [
        {"wbc": 2.9, "days": 1, "with": free | {"code": wbc}},
        {"wbc": 3.1, "days": 21, "with": free},
        {"plt": 88, "days": 1, "with": free},
        {"plt": 90, "days": 30, "unit": text, "with": free},
        {"wbc": text, "days": 3, "with": free | {"dataAbsentReason": coded(text)}},
        {"wbc": 3.0, "days": 4, "status": text},
        {"wbc": 3.0, "date": text},
        {"wbc": 3.0, "days": 5, "id": text},
        {"blasts": 3, "days": 1, "unit": text},
        {"clumps": text, "days": 2},
        {"condition": "icd10cm K74.60", "text": text, "with": {"code": _named("K74.60", text), "note": free["note"]}},
        {"condition": "icd10cm D61.1", "days": 30, "with": {"code": _named("D61.1", text), "recordedDate": text}},
        {"condition": "icd10cm K76.6", "with": {"code": _named("K76.6", text), "onsetString": text}},
        {"condition": f"local {text}", "text": text},
        {"medication": "rxnorm 6851", "days": 60, "with": {"medicationCodeableConcept": _named(
            "6851", text, chart.SYSTEMS["rxnorm"]), "dosageInstruction": [{"text": text}]}},
        {"medication": f"text {text}", "days": 60},
    ]  # fmt: skip
    return chart.prefetch(counts, name=[{"family": text, "given": [text]}], gender=text, telecom=[{"value": text}])


def strings(value: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """Every string of a JSON value with its place; names of members count as strings."""
    if isinstance(value, str):
        yield path, value
    for key, member in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        if isinstance(key, str):
            yield f"{path} name", key
        yield from strings(member, f"{path}.{key}")
