"""A stand-in for an EHR: FHIR server over the fixtures, chart page. Marked synthetic; never part of production."""
