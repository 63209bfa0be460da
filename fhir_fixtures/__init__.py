"""Synthetic patients the service is shown and tested on. Knows FHIR as plain JSON; knows nothing of cds_service."""
