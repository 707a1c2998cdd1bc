"""The deployer's door: arguments → deployer → exit code. See `python deploy.py --help`."""

from __future__ import annotations

import gc
import os
import sys

from deployer.command import main

if __name__ == "__main__":
    gc.freeze()  # nothing that is loaded by now will ever be garbage
    sys.exit(main(sys.argv[1:], os.path.dirname(os.path.abspath(__file__))))
