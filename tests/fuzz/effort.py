"""How hard the fuzzers try: 1 on every run, more by `make fuzz EFFORT=20`, and then each time something else."""

import os

EFFORT = int(os.environ.get("FUZZ_EFFORT", "1"))
