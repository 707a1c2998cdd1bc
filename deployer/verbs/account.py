"""account: the roles that all environments share, reviewed and deployed by themselves."""

from __future__ import annotations

import argparse

from deployer.account import deploy_account
from deployer.dialog import require_answerer
from deployer.session import open_session


def run(options: argparse.Namespace, root: str) -> int:
    """0 when it is as the build has it; an error where the person declines."""
    session = open_session(options, root)
    package = session.package()
    require_answerer(yes=options.yes, instead=f"{session.command('account')} --yes")
    aws = session.connect(package.region)
    return deploy_account(aws, session, package, yes=options.yes, wait=options.wait)
