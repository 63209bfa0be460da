"""A small in-memory FHIR R4 server: store, search, transactions, HTTP. Knows no medicine and none of our services."""
