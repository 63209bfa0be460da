"""The cause catalogue as a site's codes reach it: a mapped code stands for its targets, every other for itself.

Room: knowledge. Refuses to know how causes are matched and where the mapping was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cds_service.hematology.clinical_picture import CauseMatch
from cds_service.knowledge.model import CauseCatalogue

Coding = tuple[str, str]
"""System and code."""


@dataclass(frozen=True)
class MappedCauses:
    """A CauseCatalogue in front of another one. `targets`: what each code of the site stands for."""

    catalogue: CauseCatalogue
    targets: Mapping[Coding, tuple[Coding, ...]]

    def match_codings(self, codings: tuple[Coding, ...]) -> tuple[CauseMatch, ...]:
        """As the catalogue's, on what the codes stand for; matches carry the code that stands in the chart."""
        in_chart = {target: coding for coding in reversed(codings) for target in self._stands_for(coding)}
        in_chart |= {coding: coding for coding in codings if coding in in_chart}
        standard = tuple(dict.fromkeys(target for coding in codings for target in self._stands_for(coding)))
        return tuple(_with_code(match, in_chart) for match in self.catalogue.match_codings(standard))

    def match_drug_name(self, text: str) -> tuple[CauseMatch, ...]:
        """As the catalogue's: names aren't mapped."""
        return self.catalogue.match_drug_name(text)

    def knows_code(self, system: str, code: str) -> bool:
        """Whether this code, or one it stands for, is in the catalogue under any use."""
        return any(self.catalogue.knows_code(*target) for target in self._stands_for((system, code)))

    def understands_system(self, system: str) -> bool:
        """As the catalogue's: of a site's own system only the mapped codes are understood."""
        return self.catalogue.understands_system(system)

    def understands_code(self, system: str, code: str) -> bool:
        """Whether this code is mapped, or can be matched itself."""
        return (system, code) in self.targets or self.catalogue.understands_code(system, code)

    def _stands_for(self, coding: Coding) -> tuple[Coding, ...]:
        return self.targets.get(coding, (coding,))


def _with_code(match: CauseMatch, in_chart: Mapping[Coding, Coding]) -> CauseMatch:
    own = (match.system, match.code)
    system, code = in_chart.get(own, own)
    return replace(match, system=system, code=code)
