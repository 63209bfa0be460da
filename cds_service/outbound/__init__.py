"""Every call we make to others: guards, deadline, pools. Knows no FHIR."""
