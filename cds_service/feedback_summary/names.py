"""What findings and reasons are called, out of the knowledge's wording. Knows no wording of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

_REASONS, _FINDINGS = "override.", "about.findings-names."


@dataclass(frozen=True)
class Names:
    """`reasons`: our name of a reason, by system and code. `displays`: what a clinician reads, by our name."""

    reasons: Mapping[tuple[str, str], str]
    displays: Mapping[str, str]
    findings: Mapping[str, str]

    def display(self, name: str) -> str:
        """A reason as a clinician reads it; the name itself where the wording has none."""
        return self.displays.get(name, name)

    def finding(self, finding: str) -> str:
        """A finding as a clinician reads it."""
        return self.findings.get(finding, finding)


def read_names(sentences: Mapping[str, str]) -> Names:
    """The names among the sentences of a knowledge, by their dotted keys."""
    displays = _below(sentences, _REASONS, ".display")
    return Names(
        reasons={(sentences[f"{_REASONS}{one}.system"], sentences[f"{_REASONS}{one}.code"]): one for one in displays},
        displays=displays,
        findings=_below(sentences, _FINDINGS, ""),
    )


def _below(sentences: Mapping[str, str], prefix: str, suffix: str) -> dict[str, str]:
    wanted = (key for key in sentences if key.startswith(prefix) and key.endswith(suffix))
    return {key.removeprefix(prefix).removesuffix(suffix): sentences[key] for key in wanted}
