"""Synthetic patients the service is shown and tested on, as FHIR JSON. Knows no reader, judge or composer of ours."""
