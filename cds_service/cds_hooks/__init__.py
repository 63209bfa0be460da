"""The CDS Hooks protocol: requests, prefetch, cards, discovery, feedback. No medicine, no FHIR library, no Flask."""
