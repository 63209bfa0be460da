"""The pure domain: what counts mean. Stdlib only; no codes, wire, clock or I/O. The door is `assessment.assess`."""
