"""up: review, ask, execute."""

from __future__ import annotations

import argparse

from deployer.dialog import require_answerer
from deployer.finish import find_current
from deployer.leftovers import overtake
from deployer.session import open_session
from deployer.standing import is_current, look_and_pack


def run(options: argparse.Namespace, root: str) -> int:
    """0 when it is deployed or nothing changes; an error where the gate refuses or the person declines."""
    session = open_session(options, root)
    package = session.package()
    require_answerer(
        yes=options.yes,
        instead=f"{session.command('review')}, then execute; or --yes (the gate still refuses what it refuses)",
    )
    aws = session.connect(package.region)
    standing, packaged = look_and_pack(aws, package, options.wait)
    if is_current(standing, package, packaged):
        overtake(aws, session, standing.state)
        find_current(aws, session, package, packaged, standing)
        return 0
    from deployer.deployment import deploy  # as much again to load, which most runs can do without

    deploy(options, aws, session, package, packaged, standing)
    return 0
