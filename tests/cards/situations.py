"""One synthetic chart for each situation of the indicator table, and for each special wording."""

from dataclasses import replace

from cds_service.hematology.lab_results import Comparator
from tests.builders.charts_for_cards import SNOMED, Chart, chart, knowledge, on

BOTH_LOW = chart().wbc("3.1", 23).wbc("2.9", 3).platelets("88", 3)
LEUKOPENIA = chart().wbc("3.1", 23).wbc("2.9", 3).platelets("220", 3)
_NOT_EVALUABLE_TOO = replace(knowledge().guideline, card_when_not_evaluable=True)

SITUATIONS: dict[str, Chart] = {
    # The rows of the indicator table.
    "critical-leukocytes": chart().wbc("0.9", 2).platelets("210", 2),
    "critical-neutrophils": chart().wbc("1.8", 2).count("neutrophils", "0.4", 2),
    "critical-platelets": chart().wbc("6.0", 2).platelets("12", 2),
    "critical-blasts": chart().wbc("2.8", 2).companion("blasts", "12 %", 2, present=True),
    "critical-both": chart()
    .wbc("0.8", 2)
    .platelets("18", 2)
    .count("neutrophils", "0.3", 2)
    .companion("blasts", "24 %", 2, present=True),
    "mild-fall": chart().wbc("5.0", 6).platelets("180", 6).wbc("3.6", 1).platelets("130", 1),
    "downgraded-therapy": BOTH_LOW.condition("Z51.11", 20, "Encounter for chemotherapy"),
    "downgraded-marrow": BOTH_LOW.condition("C92.00", 200, "AML"),
    "downgraded-benign": LEUKOPENIA.condition("Z67.A1", 900),
    "bicytopenia": BOTH_LOW,
    "leukopenia": LEUKOPENIA,
    "leukopenia-unconfirmed": chart().wbc("3.4", 2).platelets("220", 2),
    "thrombocytopenia-isolated": chart().wbc("6.0", 2).platelets("120", 2).platelets("118", 12),
    "thrombocytopenia-leukocytes-not-available": chart().platelets("84", 2),
    "thrombocytopenia-unreliable": chart().wbc("6.0", 2).platelets("60", 2, clumped=True),
    "conflicting": chart().wbc("3.8", 1).wbc("4.4", 1),
    "not-evaluable": replace(
        chart().wbc("6.0", 20).aside("leukocytes", "unit-missing", 1, "5.9", unreadable=True),
        guideline=_NOT_EVALUABLE_TOO,
    ),
    # Special wordings.
    "cirrhosis-recorded": BOTH_LOW.condition("K74.60", 600, "Compensated cirrhosis of the liver"),
    "spleen-absent": BOTH_LOW.condition("Z90.81", 3000, "Splenectomy"),
    "drug-recorded": LEUKOPENIA.drug("6851", 60, "Methotrexate 2.5 mg oral tablet").condition("M05.9", 2000),
    "known-finding": LEUKOPENIA.condition("D72.819", 300, "Leukopenia"),
    "known-finding-undated": LEUKOPENIA.condition("D72.819", None),
    "inactive-record": LEUKOPENIA.patient(active=False, born=on(20000)),
    "replaced-record": LEUKOPENIA.patient(replaced=True),
    "child": LEUKOPENIA.patient(born=on(4000)),
    "pregnancy": LEUKOPENIA.condition("77386006", 100, "Pregnant", system=SNOMED),
    "alcohol": BOTH_LOW.condition("K70.30", 600, "Alcoholic cirrhosis").condition("F10.20", 900),
    "conditions-not-understood": LEUKOPENIA.lacking(unmapped_conditions=139),
    "medications-not-available": LEUKOPENIA.lacking(not_available=("medications",)),
    "counts-incomplete": LEUKOPENIA.lacking(counts_incomplete=True),
    "unread-newer": LEUKOPENIA.aside("leukocytes", "value-not-a-quantity", 1, "see comment", unreadable=True),
    "many-not-used": LEUKOPENIA.aside("leukocytes", "not-blood", 9, "0.2 10*3/uL")
    .aside("platelets", "unit-missing", 12, "88")
    .aside("leukocytes", "date-missing", None, "3.0 10*3/uL")
    .aside("leukocytes", "entered-in-error", 14, "1.0 10*3/uL")
    .aside("leukocytes", "value-implausible", 15, "4.3 /L")
    .aside("leukocytes", "status-not-final", 16)
    .aside("leukocytes", "other-patient", 3, "0.7 10*3/uL")
    .lacking(other_patients=1),
    "other-units": chart()
    .wbc("2900", 3, "/uL", factor="0.001")
    .wbc("3.05", 30, "G/L")
    .platelets("0.88", 3, "lakh/cumm", factor="100"),
    "estimate-in-run": chart().wbc("3.0", 20, low_confidence=True).wbc("3.2", 3),
    "estimate-shown": LEUKOPENIA.wbc("2.1", 1, low_confidence=True),
    "two-values-of-one-specimen": chart().wbc("3.1", 23).wbc("2.9", 3).wbc("3.0", 3),
    "three-months": chart([("leukocytes", "3.1", days) for days in (2, 30, 60, 95)]).platelets("220", 2),
    "with-gap": chart().wbc("3.1", 150).wbc("2.9", 3).platelets("220", 3),
    "long-run": chart([("leukocytes", "3.1", days) for days in range(2, 80, 6)]),
    "low-apart": chart().wbc("3.0", 20).platelets("88", 2),
    "companions": LEUKOPENIA.companion("hemoglobin", "10.2 g/dL", 3)
    .companion("ast", "55 U/L", 3)
    .companion("alt", "61 U/L", 3)
    .companion("temperature", "38.4 Cel", 1),
    "bound": chart().wbc("3.0", 10).wbc("0.1", 1, comparator=Comparator.BELOW),
    "known-finding-higher": chart().wbc("2.5", 23).wbc("2.9", 3).condition("D72.819", 300, "Leukopenia"),
    "known-finding-unchanged": chart().wbc("2.9", 23).wbc("2.9", 3).condition("D72.819", 300, "Leukopenia"),
    "known-finding-first-result": chart().wbc("2.9", 3).condition("D72.819", 300, "Leukopenia"),
    "platelets-unreliable": chart().wbc("3.1", 23).wbc("2.9", 3).platelets("60", 3, clumped=True),
    "critical-platelets-low-apart": chart().wbc("3.0", 20).platelets("12", 2),
    "issued-only": chart().wbc("3.1", 23).wbc("2.9", 3, from_issued=True),
    "drug-ended": LEUKOPENIA.drug("6851", 15, "Methotrexate", end=5),
    "weak-records": BOTH_LOW.condition("K74.0", 50, "Liver fibrosis").condition("D45", 500),
    "many-records": LEUKOPENIA.condition("J10.1", 6)
    .condition("B20", 900)
    .condition("A90", 5)
    .condition("B27.90", 9)
    .condition("B17.10", 12)
    .condition("A41.9", 4),
    "medications-not-understood": LEUKOPENIA.lacking(unmapped_medications=2, other_patients=3),
    "two-groups": BOTH_LOW.condition("E75.22", 900, "Gaucher").count("neutrophils", "1.2", 3),
}
