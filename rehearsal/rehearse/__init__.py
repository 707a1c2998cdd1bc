"""The whole migration on this machine: what `python rehearse.py` starts, moves, disturbs, stops and tells."""
