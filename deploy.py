"""The deployer's door: arguments → deployer → exit code. See `python deploy.py --help`."""

from __future__ import annotations

import gc
import os
import sys

from deployer.command import main

if __name__ == "__main__":
    gc.set_threshold(100_000)  # what is loaded from here on is no garbage: to look for it takes a tenth of a run
    sys.exit(main(sys.argv[1:], os.path.dirname(os.path.abspath(__file__))))
