"""Tells an integrator what works between this service and a FHIR server. Judges nothing by itself."""
