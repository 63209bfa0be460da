"""Knowledge as data, with its strict loader: criteria, codes, units, cause groups, wording, the source's statements."""
