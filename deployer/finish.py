"""Finish: what every good end of a run leaves, the outputs and a record of what is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.dialog import say
from deployer.forecast.sources import record_deployed
from deployer.outputs import FLAT_OUTPUTS, read_outputs, write_outputs
from deployer.stacks import nested_stacks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.aws import Aws
    from deployer.package_dir import Package
    from deployer.session import Session
    from deployer.stacks import StackState
    from deployer.standing import Standing
    from deployer.upload import Packaged


def find_current(aws: Aws, session: Session, package: Package, packaged: Packaged, standing: Standing) -> None:
    """Nothing is to change: close what a killed run left open, and write the outputs all the same."""
    assert standing.state is not None and standing.root is not None  # noqa: PT018  # a creation always has something to do
    say(f"nothing to change: {package.stack} is what {session.path()} says")
    if standing.root.get("Metadata") != packaged.root.get("Metadata"):
        _tell_unrecorded(standing, packaged)
    if package.durable:
        from deployer.protection import is_protected, protect

        if not is_protected(aws, standing.state, package):
            protect(aws, standing.state, package)
    finish(aws, session, package, standing.state, standing.nested)


def _tell_unrecorded(standing: Standing, packaged: Packaged) -> None:
    """Say which params changed without any effect: AWS keeps the old record of them until something has one."""
    from deployer.forecast.params import changed_params

    keys = [key for key, _, _ in changed_params(standing.root, packaged.root)]
    if keys:
        reach = "reaches" if len(keys) == 1 else "reach"
        say(f"note: {', '.join(keys)} changed in params and {reach} no resource; recorded with the next change of one")


def save_outputs(
    aws: Aws, session: Session, state: StackState, nested: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Read every output of the tree and write the one file; `nested` are the nested stacks where they are known."""
    flat = read_outputs(aws, state, nested_stacks(aws, state.id) if nested is None else nested, say)
    write_outputs(session.folder / FLAT_OUTPUTS, flat)
    say(f"{len(flat)} outputs written to {session.path(FLAT_OUTPUTS)}")
    return flat


def finish(
    aws: Aws, session: Session, package: Package, state: StackState, nested: Mapping[str, str] | None = None
) -> None:
    """What every good end leaves: the outputs, and a record of what is deployed for the next plan."""
    save_outputs(aws, session, state, nested)
    record_deployed(session.folder, package, state.account)
