"""cytopenia-cds: a CDS Hooks service for leukopenia and thrombocytopenia."""
