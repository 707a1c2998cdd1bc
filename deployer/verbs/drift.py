"""drift: what is deployed, compared with its templates, in the whole tree."""

from __future__ import annotations

import argparse
import json

from deployer.dialog import say
from deployer.drift import detect_drift
from deployer.drift_report import drift_document, render_drift
from deployer.session import open_session
from deployer.stacks import wait_until_settled
from deployer.standing import require_deployed


def run(options: argparse.Namespace, root: str) -> int:
    """0 where nothing drifted that should not have, 1 where something did."""
    session = open_session(options, root)
    package = session.package()
    aws = session.connect(package.region)
    state = require_deployed(wait_until_settled(aws, package.stack, 0, say), session, aws, package)
    drift = detect_drift(aws, state)
    print(json.dumps(drift_document(drift), indent=1) if options.json else render_drift(drift))
    return drift.exit_code
