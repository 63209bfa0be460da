"""The audit trail: who asked about which patient, and what was answered. Knows no medicine and no value of a chart."""
