"""Room: serving. What `cds-service serve` runs: the site's files, generation by generation, and the processes."""
