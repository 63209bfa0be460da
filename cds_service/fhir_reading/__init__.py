"""FHIR is read here, and does not exist after it: resources in, a clinical picture out."""
