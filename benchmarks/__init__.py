"""Numbers that can be re-run: `python -m benchmarks` (or `make bench`) prints the table of benchmarks/README.md."""
