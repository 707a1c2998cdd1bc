"""The rehearsal's door: arguments → the migration on this machine → exit code. See `python rehearse.py --help`."""

from __future__ import annotations

import sys

from rehearsal.rehearse.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
