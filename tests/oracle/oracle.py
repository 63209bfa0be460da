"""A second, deliberately naive reading of the criteria, written from their text alone.

It knows nothing of `cds_service`: it reads the raw code lists and plain JSON, and says what a chart must lead to. It is
slow, repeats itself, and exists only to disagree.
"""

# One rule below the other, as in the text: long functions and separate branches are the point here.
# ruff: noqa: PLR0911, PLR0912, PLR0915, SIM102, SIM114

import csv
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

Json = dict[str, Any]

LIMITS = {"leukocytes": Decimal("4.0"), "platelets": Decimal(150)}
CEILING = {"leukocytes": Decimal(1000), "platelets": Decimal(10000), "neutrophils": Decimal(1000)}
ANC = ["751-8", "26499-4", "753-4"]
BLASTS = ["26446-5", "709-6", "30376-8"]
CLUMPS = "7796-6"
NRBC_CORRECTED = ["33256-9", "12227-5"]
LOINC = "http://loinc.org"
NOT_BLOOD = [
    "csf",
    "cerebrospinal",
    "spinal",
    "liquor",
    "urine",
    "urinary",
    "pleural",
    "ascites",
    "ascitic",
    "peritoneal",
    "pericardial",
    "amniotic",
    "synovial",
    "bal",
    "lavage",
    "sputum",
    "dialysate",
    "semen",
    "seminal",
    "stool",
    "pus",
]
NOT_BLOOD_IN_SPECIMEN = ["fluid", "cord", "donor", "control"]
CONTEXT_GROUPS = [
    "pregnancy",
    "alcohol",
    "nutritional",
    "benign-variant",
    "known-finding",
    "known-platelet-disease",
    "transplant",
    "counter",
    "splenic-counter",
]
CAUSE_GROUPS = [
    "hematologic-malignancy",
    "marrow-failure",
    "hematopoietic-other",
    "splenic",
    "infection",
    "physical-chemical",
    "drug",
    "connective-tissue",
    "allergic",
    "genetic",
]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"


NO_MARROW_DISEASE_OF_THE_LIST = ["234437005", "84027009", "127035006"]
"""Rows marked `marrow` (hemophagocytosis, pernicious anemia, any marrow disorder) the criteria's list leaves out."""


class Lists:
    """The raw code lists."""

    def __init__(self, folder: Path) -> None:
        with (folder / "causes.csv").open(encoding="utf-8", newline="") as file:
            self.causes = list(csv.DictReader(file))
        for row in self.causes:
            if row["code"] in NO_MARROW_DISEASE_OF_THE_LIST:
                row["downgrade"] = ""
        with (folder / "labs.csv").open(encoding="utf-8", newline="") as file:
            labs = list(csv.DictReader(file))
        with (folder / "units.csv").open(encoding="utf-8", newline="") as file:
            units = list(csv.DictReader(file))
        self.use: dict[tuple[str, str], tuple[str, str]] = {}
        for row in labs:
            use = row["note"].split(";")[0].removeprefix("USE=").strip().lower()
            analyte = "leukocytes" if row["group"].startswith("wbc") else "platelets"
            self.use[row["system"], row["code"]] = (use, analyte)
        self.units: dict[str, Decimal | None] = {}
        for row in units:
            text = row["code"].replace("µ", "u").replace("μ", "u")
            factor = row["factor_to_10*9/L"].strip()
            self.units[text] = Decimal(factor) if factor else None
            bare = re.sub(r"\{[^}]*\}", "", text)
            if bare and bare != text:
                self.units.setdefault(bare, Decimal(factor) if factor else None)


# --- when ------------------------------------------------------------------------------------------------------------


@dataclass
class When:
    """An instant, or a whole day."""

    day: date
    instant: datetime | None = None


def read_when(text: Any) -> When | None:
    if not isinstance(text, str):
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return When(date.fromisoformat(text))
        except ValueError:
            return None
    if not re.match(r"\d{4}-\d{2}-\d{2}T", text):
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        return When(moment.date())
    return When(moment.date(), moment.astimezone(UTC))


def within(when: When, days: int, now: datetime) -> bool:
    if when.instant is not None:
        return now - when.instant <= timedelta(days=days)
    return (now.date() - when.day).days <= days


def in_future(when: When, now: datetime) -> bool:
    if when.instant is not None:
        return when.instant - now > timedelta(days=1)
    return (when.day - now.date()).days > 1


def newer(a: When, b: When) -> bool:
    """Whether a is later than b; a whole day and a time of one date are one occasion, other days stand at noon UTC."""
    if a.instant is not None and b.instant is not None:
        return a.instant > b.instant
    return a.day != b.day and sort_key(a) > sort_key(b)


def sort_key(when: When) -> tuple[datetime, date]:
    if when.instant is not None:
        return (when.instant, when.day)
    return (datetime(when.day.year, when.day.month, when.day.day, 12, tzinfo=UTC), when.day)


def apart(a: When, b: When) -> int:
    return abs((a.day - b.day).days)


# --- values ----------------------------------------------------------------------------------------------------------


@dataclass
class Value:
    number: Decimal
    comparator: str = ""

    def below(self, limit: Decimal) -> bool | None:
        """True, False, or None when a bound doesn't say."""
        if self.comparator == "":
            return self.number < limit
        if self.comparator == "<":
            return True if self.number <= limit else None
        if self.comparator == "<=":
            return True if self.number < limit else None
        return False if self.number >= limit else None


def factor_of(text: str, lists: Lists) -> Decimal | str | None:
    """A factor to 10*9/L, None for a unit that is no count, `unknown` where nothing is understood."""
    folded = text.replace("µ", "u").replace("μ", "u").replace("\u200b", "").strip()
    bare = re.sub(r"\{[^}]*\}", "", folded)
    for candidate in [folded, bare]:
        if candidate in lists.units:
            return lists.units[candidate]
    if bare.casefold() in {"g/l", "m/ul", "t/l"}:
        return "unknown"
    meanings = {factor for unit, factor in lists.units.items() if unit.casefold() == bare.casefold()}
    if len(meanings) == 1:
        return meanings.pop()
    return "unknown"


def read_quantity(quantity: Json, analyte: str, lists: Lists) -> Value | str:
    """The value in 10*9/L, or the class of the reason why not."""
    code, unit = quantity.get("code"), quantity.get("unit")
    if code is None and unit is None:
        return "unit"
    if code is not None:
        factor = factor_of(code, lists)
        if factor is None or isinstance(factor, str):
            return "unit"
        if unit is not None:
            said = factor_of(unit, lists)
            if said not in ("unknown", factor):
                return "unit"
    else:
        factor = factor_of(str(unit), lists)
        if factor is None or isinstance(factor, str):
            return "unit"
    number = Decimal(str(quantity["value"])) * factor
    comparator = quantity.get("comparator", "")
    if number < 0 or 0 < number < Decimal("0.005") or (analyte in CEILING and number > CEILING[analyte]):
        return "range"
    if comparator not in {"", "<", "<=", ">", ">="}:
        return "comparator"
    return Value(number, comparator)


# --- results ---------------------------------------------------------------------------------------------------------


@dataclass
class Result:
    """One usable result."""

    analyte: str
    when: When
    value: Value
    status: str
    code: str
    low_confidence: bool
    issued: datetime | None
    specimen: str | None
    reference: str
    own_clumping: bool = False


@dataclass
class Unread:
    analyte: str
    when: When
    low_confidence: bool
    specimen: str | None = None


@dataclass
class Chart:
    results: list[Result] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    blasts: list[tuple[When, bool, str]] = field(default_factory=list)
    clumps: list[tuple[When, str | None]] = field(default_factory=list)
    not_used: set[tuple[str, str]] = field(default_factory=set)


def whole_words(text: str, words: list[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) for word in words)


def texts_of(concept: Any) -> list[str]:
    if isinstance(concept, list):
        return [text for one in concept for text in texts_of(one)]
    if not isinstance(concept, dict):
        return []
    found = [concept[key] for key in ["text", "display"] if isinstance(concept.get(key), str)]
    for coding in concept.get("coding", []):
        if isinstance(coding.get("display"), str):
            found.append(coding["display"])
    return found


def not_blood(resource: Json, code: Json) -> bool:
    narrow = texts_of(resource.get("specimen")) + texts_of(resource.get("bodySite"))
    wide = narrow + texts_of(resource.get("method")) + texts_of(resource.get("category"))
    if isinstance(code.get("text"), str):
        wide.append(code["text"])
    if any(whole_words(text, [*NOT_BLOOD, "bone marrow"]) for text in wide):
        return True
    return any(whole_words(text, NOT_BLOOD_IN_SPECIMEN) for text in narrow)


def clumping_said(text: str) -> bool:
    for clause in re.split(r"[.,;!?]", text.lower()):
        for hit in re.finditer(r"clump|aggregat|satellit", clause):
            if re.search(r"\b(no|not|none|without|absent|negative|not seen)\b", clause[: hit.start()]):
                continue
            rest = clause[hit.end() :]
            if re.match(r"\w*[\s:=\-]*(absent|negative|not seen|no|not|none|without)\b", rest):
                continue
            return True
    return False


def own_words(resource: Json) -> list[str]:
    return [note["text"] for note in resource.get("note", []) if "text" in note] + texts_of(
        resource.get("interpretation")
    )


def positive(resource: Json) -> bool:
    quantity = resource.get("valueQuantity")
    if quantity is not None and "value" in quantity:
        return Decimal(str(quantity["value"])) > 0
    words = texts_of(resource.get("valueCodeableConcept"))
    if isinstance(resource.get("valueString"), str):
        words.append(resource["valueString"])
    wanted = ["present", "few", "moderate", "many", "+", "++", "+++", "++++"]
    return any(word.strip().lower() in wanted for word in words)


def read_chart(observations: list[Json], patient: str, now: datetime, lists: Lists) -> Chart:
    chart = Chart()
    for resource in observations:
        parts = [resource, *resource.get("component", [])]
        for part in parts:
            read_part(resource, part, patient, now, lists, chart)
    return chart


def read_part(resource: Json, part: Json, patient: str, now: datetime, lists: Lists, chart: Chart) -> None:
    reference = f"Observation/{resource['id']}"
    code = part.get("code", {})
    counts: dict[str, tuple[str, str]] = {}
    never = False
    companion = ""
    for coding in code.get("coding", []):
        key = (coding.get("system", ""), coding.get("code", ""))
        use, analyte = lists.use.get(key, ("", ""))
        if use in {"criterion", "criterion-low-confidence"}:
            counts[analyte] = (use, key[1])
        if use == "never":
            never = True
        if key[0] == LOINC and key[1] in ANC:
            counts["neutrophils"] = ("criterion", key[1])
        if key[0] == LOINC and key[1] in BLASTS:
            companion = "blasts"
        if key == (LOINC, CLUMPS):
            companion = "clumps"
    if not counts and not companion:
        return

    contradictory = len(counts) > 1 or (never and bool(counts))
    ours = resource.get("subject", {}).get("reference") == f"Patient/{patient}"
    status = resource.get("status")
    text = resource.get("effectiveDateTime") or resource.get("effectiveInstant")
    if text is None and "effectivePeriod" in resource:
        text = resource["effectivePeriod"].get("start")
    if not any(key.startswith("effective") for key in resource):
        text = resource.get("issued")
    when = read_when(text)
    dated = when is not None and not in_future(when, now)
    blood = not not_blood(resource, code)
    absent = "dataAbsentReason" in part
    quantity = part.get("valueQuantity")
    other_value = any(key.startswith("value") and key != "valueQuantity" for key in part)
    narrative_only = (
        part is resource
        and not any(key.startswith("value") for key in part)
        and not absent
        and "component" not in part
        and bool(resource.get("text", {}).get("div"))
    )
    has_value = (quantity is not None and "value" in quantity) or other_value or narrative_only

    if companion and not counts:
        if not (ours and blood and dated and status in {"final", "amended", "corrected"}) or when is None or absent:
            return
        if not has_value and not own_words(resource):
            return
        if companion == "blasts" and has_value:
            chart.blasts.append((when, positive(part), reference))
        elif companion == "clumps" and (positive(part) or any(clumping_said(words) for words in own_words(resource))):
            chart.clumps.append((when, resource.get("specimen", {}).get("reference")))
        return

    reason = ""
    value: Value | None = None
    if contradictory:
        reason = "contradictory"
    elif not ours:
        reason = "subject"
    elif status not in {"final", "amended", "corrected"}:
        reason = "status"
    elif not blood:
        reason = "specimen"
    elif not has_value:
        reason = "absent"
    elif absent or other_value or narrative_only or quantity is None:
        reason = "value"
    else:
        read = read_quantity(quantity, next(iter(counts)), lists)
        if isinstance(read, str):
            reason = read
        else:
            value = read
    if not reason and not dated:
        reason = "date"
    if not reason and value is not None:
        limit = LIMITS.get(next(iter(counts)))
        if limit is not None and value.below(limit) is None:
            reason = "bound"
    if reason:
        if reason == "absent" and part is resource and not absent and "component" in resource:
            return
        if when is None or reason == "subject" or within(when, 365, now):
            chart.not_used.add((reference, reason))
        readable_status = status in {"final", "amended", "corrected", "unknown", None}
        if ours and blood and readable_status and dated and has_value and when is not None:
            for analyte, (use, _) in counts.items():
                chart.unread.append(
                    Unread(
                        analyte,
                        when,
                        use == "criterion-low-confidence" and not contradictory,
                        resource.get("specimen", {}).get("reference"),
                    )
                )
        if reason != "bound":
            return
    assert value is not None
    assert when is not None
    for analyte, (use, loinc) in counts.items():
        issued = read_when(resource.get("issued"))
        chart.results.append(
            Result(
                analyte,
                when,
                value,
                str(status),
                loinc,
                use == "criterion-low-confidence",
                issued.instant if issued else None,
                resource.get("specimen", {}).get("reference"),
                reference,
                own_clumping=analyte == "platelets" and any(clumping_said(words) for words in own_words(resource)),
            )
        )


# --- one specimen is one result --------------------------------------------------------------------------------------


@dataclass
class Occasion:
    analyte: str
    when: When
    kept: list[Result]
    low: bool | None  # None: conflicting
    low_confidence: bool
    unreliable: bool = False

    def surely_below(self, limit: Decimal) -> bool:
        return any(result.value.below(limit) is True for result in self.kept)

    def surely_not_below(self, limit: Decimal) -> bool:
        return all(result.value.below(limit) is False for result in self.kept)


def same_occasion(a: Result, b: Result) -> bool:
    same_specimen = a.specimen is not None and a.specimen == b.specimen
    if a.when.instant is not None and b.when.instant is not None:
        if a.when.instant.replace(second=0) == b.when.instant.replace(second=0):
            return True
        return same_specimen and abs(a.when.instant - b.when.instant) <= timedelta(hours=24)
    return a.when.day == b.when.day or (same_specimen and apart(a.when, b.when) <= 1)


def occasions(results: list[Result], limit: Decimal | None) -> list[Occasion]:
    sure = [result for result in results if not result.low_confidence]
    estimates = [
        result for result in results if result.low_confidence and not any(same_occasion(result, one) for one in sure)
    ]
    groups: list[list[Result]] = []
    for result in [*sure, *estimates]:
        joined = [
            group
            for group in groups
            if group[0].low_confidence == result.low_confidence and any(same_occasion(result, one) for one in group)
        ]
        merged = [result] + [other for group in joined for other in group]
        groups = [group for group in groups if group not in joined] + [merged]
    judged = [one_occasion(group, limit) for group in groups]
    return [occasion for occasion in judged if occasion is not None]


def one_occasion(group: list[Result], limit: Decimal | None) -> Occasion | None:
    """None where the order leaves only bounds that say nothing of the limit."""
    kept = group
    changed = [result for result in kept if result.status in {"corrected", "amended"}]
    kept = changed or kept
    nrbc = [result for result in kept if result.code in NRBC_CORRECTED]
    kept = nrbc or kept
    if all(result.issued is not None for result in kept):
        latest = max(result.issued for result in kept if result.issued is not None)
        kept = [result for result in kept if result.issued == latest]
    low: bool | None = False
    if limit is not None:
        kept = [result for result in kept if result.value.below(limit) is not None]
        if not kept:
            return None
        sides = {result.value.below(limit) for result in kept}
        low = sides.pop() if len(sides) == 1 else None
    lowest = min(kept, key=lambda result: (result.value.number, result.when.instant is None))
    return Occasion(lowest.analyte, lowest.when, kept, low, lowest.low_confidence)


def mark_clumped(platelets: list[Occasion], clumps: list[tuple[When, str | None]]) -> None:
    for occasion in platelets:
        if any(result.own_clumping for result in occasion.kept):
            occasion.unreliable = True
    for when, specimen in clumps:
        same = [o for o in platelets if specimen is not None and any(r.specimen == specimen for r in o.kept)]
        if not same:
            same = [o for o in platelets if any(clump_reaches(r.when, when) for r in o.kept)]
        for occasion in same:
            occasion.unreliable = True
    for occasion in platelets:
        if occasion.low is not True:
            occasion.unreliable = False


def clump_reaches(count: When, evidence: When) -> bool:
    if count.instant is not None and evidence.instant is not None:
        return timedelta(0) <= evidence.instant - count.instant <= timedelta(hours=24)
    return 0 <= (evidence.day - count.day).days <= 1


# --- findings --------------------------------------------------------------------------------------------------------


@dataclass
class Cytopenia:
    verdict: str
    newest: Occasion | None = None
    run: list[Occasion] = field(default_factory=list)
    conflicting_newest: bool = False
    unread_newer: bool = False


def judge(analyte: str, found: list[Occasion], unread: list[Unread], now: datetime) -> Cytopenia:
    found = sorted(found, key=lambda o: sort_key(o.when), reverse=True)
    deciding = [o for o in found if not o.low_confidence]
    usable = [o for o in deciding if o.low is not None]
    current = [o for o in usable if within(o.when, 90, now)]
    disturbing = [o.when for o in deciding if o.low is None] + [u.when for u in unread if not u.low_confidence]
    disturbing = [when for when in disturbing if within(when, 90, now)]
    newest_of_all = deciding[0] if deciding else None
    conflict = newest_of_all is not None and newest_of_all.low is None and within(newest_of_all.when, 90, now)
    if not current:
        verdict = "not-evaluable" if disturbing else "no-recent-result"
        return Cytopenia(verdict, None, [], conflict)
    newest = current[0]
    disturbed = any(newer(when, newest.when) for when in disturbing)
    if not newest.low:
        return Cytopenia("not-evaluable" if disturbed else "absent", newest, [], conflict, disturbed)
    if newest.unreliable:
        return Cytopenia("unreliable", newest, [newest], conflict, disturbed)
    run = [newest]
    for occasion in found:
        if occasion is newest or newer(occasion.when, newest.when) or not within(occasion.when, 365, now):
            continue
        if sort_key(occasion.when) > sort_key(newest.when):
            continue
        if occasion.low is None or occasion.unreliable:
            continue
        if not occasion.low:
            if occasion.low_confidence:
                continue
            break
        if apart(occasion.when, run[-1].when) > 180:
            break
        run.append(occasion)
    if analyte == "platelets":
        return Cytopenia("present", newest, run, conflict, disturbed)
    return Cytopenia("present" if spans_a_week(run) else "unconfirmed", newest, run, conflict, disturbed)


def spans_a_week(run: list[Occasion]) -> bool:
    return any(apart(a.when, b.when) >= 7 for a in run for b in run)


def bicytopenia(white: Cytopenia, plates: Cytopenia) -> str:
    if white.verdict in {"present", "unconfirmed"} and plates.verdict == "present":
        pairs = [(a, b) for a in white.run for b in plates.run if apart(a.when, b.when) <= 7]
        if pairs:
            return "present"
        return "not-evaluable" if white.unread_newer or plates.unread_newer else "absent"
    verdicts = [white.verdict, plates.verdict]
    if "not-evaluable" in verdicts or "unreliable" in verdicts:
        return "not-evaluable"
    if "no-recent-result" in verdicts:
        return "no-recent-result"
    return "absent"


# --- causes ----------------------------------------------------------------------------------------------------------


def plain(code: str) -> str:
    return code.replace(".", "").upper()


def row_matches(row: Json, system: str, code: str) -> bool:
    if row["system"] == system:
        if system in {ICD10CM, ATC, ICD10}:
            if row["match"] == "prefix":
                return plain(code).startswith(plain(row["code"]))
            if system == ICD10 and len(row["code"]) == 3:
                return plain(code).startswith(plain(row["code"]))
            return plain(code) == plain(row["code"])
        return bool(row["code"] == code)
    if system == ICD10 and row["system"] == ICD10CM and row["who_icd10"] == "same":
        if row["match"] == "prefix" or len(row["code"]) == 3:
            return plain(code).startswith(plain(row["code"]))
        return plain(code) == plain(row["code"])
    return False


def rows_for(concept: Json, lists: Lists) -> list[tuple[Json, str]]:
    """For each system and group the longest matching rows; where codes have no hierarchy, all."""
    matching = []
    for coding in concept.get("coding", []):
        system, code = coding.get("system", ""), coding.get("code", "")
        matching += [(row, system, code) for row in lists.causes if row_matches(row, system, code)]
    chosen = []
    for row, system, code in matching:
        rivals = [
            other
            for other, its_system, _ in matching
            if its_system == system and (other["group"] == row["group"] or system == ATC)
        ]
        longest = max(len(plain(other["code"])) for other in rivals)
        if system not in {ICD10CM, ICD10, ATC} or len(plain(row["code"])) == longest:
            chosen.append((row, code))
    return chosen


def rows_named(concept: Json, lists: Lists) -> list[tuple[Json, str]]:
    """Rows of single substances whose name stands in the text as a whole word."""
    text = concept.get("text", "")
    drugs = [row for row in lists.causes if row["system"] in {RXNORM, ATC} and row["match"] != "prefix"]
    return [(row, row["code"]) for row in drugs if whole_words(text, [row["display"]])]


def coded(concept: Any) -> str | None:
    for coding in (concept or {}).get("coding", []):
        return str(coding.get("code"))
    return None


def condition_stands(resource: Json, patient: str, now: datetime) -> bool:
    if resource.get("subject", {}).get("reference") != f"Patient/{patient}":
        return False
    if coded(resource.get("verificationStatus")) in {"refuted", "entered-in-error", "differential"}:
        return False
    if coded(resource.get("clinicalStatus")) not in {None, "active", "recurrence", "relapse"}:
        return False
    abated = read_when(resource.get("abatementDateTime"))
    return not (abated is not None and abated.day <= now.date())


def medication_stands(resource: Json, patient: str) -> bool:
    return bool(
        resource.get("subject", {}).get("reference") == f"Patient/{patient}"
        and resource.get("status") in {"active", "completed", "stopped"}
        and resource.get("intent") in {"order", "original-order", "reflex-order", "filler-order", "instance-order"}
        and not resource.get("doNotPerform", False)
    )


@dataclass
class Exposure:
    begin: date | None
    end: date | None  # None: current
    known: bool
    dates: list[date]


def exposure(resource: Json) -> Exposure:
    authored = read_when(resource.get("authoredOn"))
    periods = [d["timing"]["repeat"]["boundsPeriod"] for d in resource.get("dosageInstruction", [])]
    starts = [w.day for p in periods if (w := read_when(p.get("start"))) is not None]
    ends = [w.day for p in periods if (w := read_when(p.get("end"))) is not None]
    validity = read_when(resource.get("dispenseRequest", {}).get("validityPeriod", {}).get("end"))
    begin = min(starts) if starts else (authored.day if authored else None)
    end = validity.day if validity else (max(ends) if ends else None)
    known = True
    if end is None and resource["status"] != "active":
        ends_at = [day for day in [authored.day if authored else None, begin] if day is not None]
        end = max(ends_at) if ends_at else None
        known = end is not None
    dates = [*starts, *ends] + [w.day for w in [authored, validity] if w is not None]
    return Exposure(begin, end, known, dates)


@dataclass
class Verdict:
    leukopenia: str
    thrombocytopenia: str
    bicytopenia: str
    indicator: str | None
    causes: dict[str, set[str]]
    context: dict[str, set[str]]
    not_used: set[tuple[str, str]]


def newest_low_day(affects: str, white: Cytopenia, plates: Cytopenia) -> date | None:
    days = []
    if affects in {"leukocytes", "both"} and white.verdict in {"present", "unconfirmed"} and white.newest:
        days.append(white.newest.when.day)
    if affects in {"platelets", "both"} and plates.verdict in {"present", "unreliable"} and plates.newest:
        days.append(plates.newest.when.day)
    return max(days) if days else None


def entries(prefetch: Json) -> list[Json]:
    resources: dict[tuple[str, str], Json] = {}
    for value in prefetch.values():
        if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
            continue
        for entry in value.get("entry", []):
            resource = entry["resource"]
            key = (resource["resourceType"], resource["id"])
            old = resources.get(key)
            if old is None or str(resource.get("meta", {}).get("lastUpdated", "")) > str(
                old.get("meta", {}).get("lastUpdated", "")
            ):
                resources[key] = resource
    return list(resources.values())


def evaluate(prefetch: Json, patient: str, now: datetime, lists: Lists) -> Verdict:
    """What this chart must lead to."""
    resources = entries(prefetch)
    chart = read_chart([r for r in resources if r["resourceType"] == "Observation"], patient, now, lists)
    white_found = occasions([r for r in chart.results if r.analyte == "leukocytes"], LIMITS["leukocytes"])
    plate_found = occasions([r for r in chart.results if r.analyte == "platelets"], LIMITS["platelets"])
    mark_clumped(plate_found, chart.clumps)
    white = judge("leukocytes", white_found, [u for u in chart.unread if u.analyte == "leukocytes"], now)
    plates = judge("platelets", plate_found, [u for u in chart.unread if u.analyte == "platelets"], now)
    both = bicytopenia(white, plates)
    anc_found = occasions([r for r in chart.results if r.analyte == "neutrophils"], None)
    blasts = sorted(chart.blasts, key=lambda b: sort_key(b[0]), reverse=True)

    there = white.verdict in {"present", "unconfirmed"} or plates.verdict in {"present", "unreliable"}
    disagree = white.conflicting_newest or plates.conflicting_newest
    causes: dict[str, set[str]] = {}
    context: dict[str, set[str]] = {}
    therapy = marrow = benign = False
    if there or disagree:
        for when, present, reference in blasts:
            if there and present and within(when, 30, now):
                causes.setdefault("hematologic-malignancy", set()).add(reference)
        for resource in resources:
            reference = f"{resource['resourceType']}/{resource['id']}"
            if resource["resourceType"] == "Condition" and condition_stands(resource, patient, now):
                onset = read_when(resource.get("onsetDateTime")) or read_when(resource.get("recordedDate"))
                for row, _ in rows_for(resource.get("code", {}), lists):
                    if row["use"] == "context":
                        context.setdefault(row["group"], set()).add(reference)
                    if row["use"] != "evidence":
                        continue
                    low_day = newest_low_day(row["affects"], white, plates)
                    if row["downgrade"] == "benign":
                        benign = True
                    if row["downgrade"] == "marrow":
                        marrow = True
                    if row["downgrade"].startswith("therapy") and low_day is not None and onset is not None:
                        therapy = therapy or 0 <= (low_day - onset.day).days <= 42
                    if row["group"] in CONTEXT_GROUPS:
                        context.setdefault(row["group"], set()).add(reference)
                        continue
                    if row["group"] not in CAUSE_GROUPS or low_day is None:
                        continue
                    if row["course"] == "acute" and (
                        onset is None or not low_day - timedelta(days=30) <= onset.day <= low_day + timedelta(days=7)
                    ):
                        continue
                    causes.setdefault(row["group"], set()).add(reference)
            if resource["resourceType"] == "MedicationRequest" and medication_stands(resource, patient):
                taken = exposure(resource)
                concept = resource.get("medicationCodeableConcept", {})
                for row, code in rows_for(concept, lists) or rows_named(concept, lists):
                    if row["use"] != "evidence":
                        continue
                    low_day = newest_low_day(row["affects"], white, plates)
                    if low_day is not None and row["downgrade"].startswith("therapy"):
                        if not any(code.startswith(x) for x in ["L01E", "L01F", "L01X"] if row["code"] == "L01"):
                            therapy = therapy or any(0 <= (low_day - day).days <= 90 for day in taken.dates)
                    if row["group"] in CONTEXT_GROUPS:
                        context.setdefault(row["group"], set()).add(reference)
                        continue
                    if low_day is None or not taken.known:
                        continue
                    if taken.begin is not None and taken.begin > low_day:
                        continue
                    if taken.end is not None and (low_day - taken.end).days > 90:
                        continue
                    causes.setdefault(row["group"], set()).add(reference)

    critical = there_for_severity(white, plates) and any(
        [
            white.verdict in {"present", "unconfirmed"} and newest_below(white_found, Decimal("1.0"), now, 30),
            newest_below(anc_found, Decimal("0.5"), now, 30),
            plates.verdict == "present" and newest_below(plate_found, Decimal(25), now, 30),
            any(present and when == blasts[0][0] and within(when, 30, now) for when, present, _ in blasts),
        ]
    )
    indicator: str | None = None
    if critical:
        indicator = "critical"
    elif both == "present" or white.verdict == "present":
        downgraded = therapy or marrow
        if (
            benign
            and white.verdict == "present"
            and plates.verdict == "absent"
            and white.newest is not None
            and white.newest.surely_not_below(Decimal("2.0"))
            and not newest_below(anc_found, Decimal("1.0"), now, 365)
        ):
            downgraded = True
        if both == "present" and white.verdict != "present" and mild_fall(white, plates, white_found, plate_found):
            indicator = "info"
        else:
            indicator = "info" if downgraded else "warning"
    elif white.verdict == "unconfirmed" or plates.verdict == "unreliable":
        indicator = "info"
    elif plates.verdict == "present" and (
        (plates.newest is not None and plates.newest.surely_below(Decimal(100))) or spans_a_week(plates.run)
    ):
        indicator = "info"
    elif white.conflicting_newest or plates.conflicting_newest:
        indicator = "info"
    return Verdict(white.verdict, plates.verdict, both, indicator, causes, context, chart.not_used)


def there_for_severity(white: Cytopenia, plates: Cytopenia) -> bool:
    return white.verdict in {"present", "unconfirmed"} or plates.verdict == "present"


def newest_below(found: list[Occasion], limit: Decimal, now: datetime, days: int) -> bool:
    """The newest result that says anything of this limit; a bound that leaves it open is unreadable for it."""
    usable = [o for o in found if o.low is not None and not o.unreliable and not o.low_confidence]
    for occasion in sorted(usable, key=lambda o: sort_key(o.when), reverse=True):
        if within(occasion.when, days, now):
            if occasion.surely_below(limit):
                return True
            if occasion.surely_not_below(limit):
                return False
    return False


def mild_fall(white: Cytopenia, plates: Cytopenia, whites: list[Occasion], platelets: list[Occasion]) -> bool:
    for cytopenia, found, limit in [(white, whites, Decimal("3.0")), (plates, platelets, Decimal(100))]:
        newest = cytopenia.newest
        if newest is None or not newest.surely_not_below(limit):
            return False
        before = [
            o
            for o in found
            if o.low is False
            and not o.low_confidence
            and newer(newest.when, o.when)
            and apart(o.when, newest.when) <= 7
        ]
        if not before:
            return False
    return True
