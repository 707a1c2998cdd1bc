"""outputs: read every output of the tree, write flat-outputs.json, print it in the form that is asked for."""

from __future__ import annotations

import argparse

from deployer.dialog import say
from deployer.finish import save_outputs
from deployer.outputs import format_outputs
from deployer.session import open_session
from deployer.stacks import describe_stack
from deployer.standing import require_deployed


def run(options: argparse.Namespace, root: str) -> int:
    """Print the outputs; an error where nothing has been deployed yet."""
    session = open_session(options, root)
    package = session.package()
    aws = session.connect(package.region)
    state = require_deployed(describe_stack(aws, package.stack), session, aws, package)
    if not state.status.is_good:
        say(f"note: {state.name} is {state.status}; these are the outputs that AWS tells of now")
    print(format_outputs(save_outputs(aws, session, state), options.format), end="")
    return 0
