"""A story's blood counts as FHIR R4 Observations, DiagnosticReports and Specimens. Judges nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fhir_fixtures.dates import days_before
from fhir_fixtures.lexicon import UCUM, Analyte, Place, Unit, analyte, coding, unit
from fhir_fixtures.resources import Resource, concept, patched, reference, resource
from fhir_fixtures.story import Count, Result

_SPECIMENS = {"blood": "119297000", "csf": "258450006"}
_HEMOGLOBIN = 13.6  # where a story doesn't care
_LABORATORY = concept("observation-category", "laboratory", "Laboratory")


@dataclass(frozen=True)
class Collection:
    """One drawing of blood: the count a story tells, at the place that keeps the patient's chart."""

    place: Place
    patient_id: str
    count: Count

    @property
    def stem(self) -> str:
        """What the ids of its resources begin with: patient, days before the reference day, label."""
        return "-".join(part for part in (self.patient_id, f"d{self.count.day}", self.count.label) if part)

    @property
    def collected(self) -> str:
        """The FHIR dateTime of the drawing."""
        return f"{days_before(self.count.day).isoformat()}T{self.count.time}{self.place.offset}"

    @property
    def shared(self) -> Resource:
        """The members its Observations and its report have in common; issued two hours after the drawing."""
        return {
            "subject": reference("Patient", self.count.subject or self.patient_id),
            "effectiveDateTime": self.collected,
            "issued": (datetime.fromisoformat(self.collected) + timedelta(hours=2)).isoformat(),
            "performer": [{"display": self.place.laboratory}],
        }

    @property
    def specimen(self) -> Resource:
        """The reference to its Specimen, with the kind in words for readers who don't get the resource; or empty."""
        if not self.count.specimen:
            return {}
        said = coding(_SPECIMENS[self.count.specimen])["display"]
        return {**reference("Specimen", f"{self.stem}-specimen"), "display": said}


def count_resources(place: Place, patient_id: str, count: Count) -> list[Resource]:
    """One collection: its Specimen, its Observations (or the one with components), its DiagnosticReport."""
    drawn = Collection(place, patient_id, count)
    results = _results(count)
    observations = [_observation(drawn, key, result) for key, result in results.items()]
    if count.components:
        observations = [_panel(drawn, observations)]
    made = [_specimen(drawn, count.specimen)] if count.specimen else []
    made += observations
    if count.panel:
        made.append(_report(drawn, observations))
    return made


def _results(count: Count) -> dict[str, Result]:
    """The results; of a panel also hemoglobin, and red cells and hematocrit that fit it (never judged)."""
    results = {key: found if isinstance(found, Result) else Result(value=found) for key, found in count.results.items()}
    if count.panel:
        hemoglobin = results.setdefault("hb", Result(value=_HEMOGLOBIN)).value or _HEMOGLOBIN
        results["rbc"] = Result(value=round(hemoglobin / 3, 2))
        results["hct"] = Result(value=round(hemoglobin * 3, 1))
    return results


def _observation(drawn: Collection, key: str, result: Result) -> Resource:
    test = analyte(key)
    members = _members(drawn, test)
    if result.value is not None:
        measured_in = unit(result.unit or test.unit or drawn.place.count_unit)
        members["valueQuantity"] = _quantity(result.value, measured_in)
        members |= _judged_by_range(test, result.value, measured_in)
    return patched(resource(drawn.place, "Observation", f"{drawn.stem}-{key}", members), result.patch)


def _members(drawn: Collection, test: Analyte) -> Resource:
    code = concept(test.system, test.code, test.display)
    told = {"status": drawn.count.status, "category": [_LABORATORY], "code": code, **drawn.shared}
    return {**told, "specimen": drawn.specimen}


def _quantity(value: int | float, measured_in: Unit) -> Resource:
    coded = {"system": UCUM, "code": measured_in.code} if measured_in.code else {}
    return {"value": value, "unit": measured_in.text, **coded}


def _judged_by_range(test: Analyte, value: int | float, measured_in: Unit) -> Resource:
    """Interpretation and reference range, in the unit of the value; nothing for a test without a range."""
    if test.low is None or test.high is None:
        return {}
    factor = measured_in.factor or 1
    low, high = (_plain(bound / factor) for bound in (test.low, test.high))
    code, display = ("L", "Low") if value < low else ("H", "High") if value > high else ("N", "Normal")
    return {
        "interpretation": [concept("v3-ObservationInterpretation", code, display)],
        "referenceRange": [{"low": _quantity(low, measured_in), "high": _quantity(high, measured_in)}],
    }


def _plain(number: float) -> int | float:
    rounded = round(number, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def _panel(drawn: Collection, observations: list[Resource]) -> Resource:
    """One Observation that carries the results as components, as Swiss laboratory reports do."""
    kept = ("code", "valueQuantity", "interpretation", "referenceRange")
    test = analyte(drawn.place.panel)
    members = _members(drawn, test)
    members["component"] = [{key: one[key] for key in kept if key in one} for one in observations]
    return resource(drawn.place, "Observation", f"{drawn.stem}-panel", members)


def _report(drawn: Collection, observations: list[Resource]) -> Resource:
    """The DiagnosticReport of the panel; it is filed in this patient's chart, whoever its results are of."""
    test = analyte(drawn.place.panel_with_differential if "anc" in drawn.count.results else drawn.place.panel)
    members = {
        "status": drawn.count.status,
        "category": [concept("v2-0074", "HM", "Hematology"), concept("v2-0074", "LAB", "Laboratory")],
        "code": concept(test.system, test.code, test.display),
        **drawn.shared,
        "subject": reference("Patient", drawn.patient_id),
        "specimen": [drawn.specimen] if drawn.specimen else [],
        "result": [reference("Observation", one["id"]) for one in observations],
    }
    return resource(drawn.place, "DiagnosticReport", f"{drawn.stem}-report", members)


def _specimen(drawn: Collection, kind: str) -> Resource:
    members = {
        "type": {"coding": [coding(_SPECIMENS[kind])]},
        "subject": drawn.shared["subject"],
        "collection": {"collectedDateTime": drawn.collected},
    }
    return resource(drawn.place, "Specimen", f"{drawn.stem}-specimen", members)
