"""What a run that changes nothing may cost."""

from __future__ import annotations

import subprocess
import sys


def test_a_run_that_changes_nothing_loads_no_review(root):
    code = (
        "import sys, deployer.verbs.up;"
        "loaded = {name for name in sys.modules if name.startswith(('deployer.review.', 'deployer.render', 'deployer.gate',"
        " 'deployer.execution.follow', 'settings.model', 'yaml', 'boto3', 'botocore'))};"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
