"""Standing: what is deployed, and whether it is what would be deployed. Most runs end here, so it loads little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.aws import in_parallel
from deployer.bucket import Bucket, bucket_of
from deployer.changes import ROOT
from deployer.dialog import say
from deployer.errors import StackStateError
from deployer.stacks import deployed_templates, nested_stacks, nothing_to_change, template_of, wait_until_settled
from deployer.tiers import tier_name
from deployer.upload import Packaged, package_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.aws import Aws
    from deployer.package_dir import Package
    from deployer.session import Session
    from deployer.stacks import StackState

Template = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands before the deployment: `state` is None where nothing does.

    `root` is its template, None where there is none yet; `nested` are the ids of its nested stacks by logical id.
    """

    state: StackState | None
    root: Template | None
    nested: Mapping[str, str]

    @property
    def is_new(self) -> bool:
        """Whether the deployment will be a creation."""
        return self.state is None or self.state.status.is_review or self.state.status.is_failed_creation


def look(aws: Aws, package: Package, wait: int) -> Standing:
    """The stack once it is at rest, with what it was deployed from.

    That is read only then: an older template beside a newer state would prove nothing.
    """
    return stand(aws, wait_until_settled(aws, package.stack, wait, say))


def look_and_pack(aws: Aws, package: Package, wait: int) -> tuple[Standing, Packaged]:
    """The same, and the tree as it will be deployed, which is packed while AWS answers."""
    state = wait_until_settled(aws, package.stack, wait, say)
    steps: tuple[Callable[[], Any], ...] = (lambda: stand(aws, state), lambda: pack(aws, package, state))
    standing, packaged = in_parallel(lambda step: step(), steps)
    return standing, packaged


def stand(aws: Aws, state: StackState | None) -> Standing:
    """What a stack at rest was deployed from; two reads at the same time."""
    if state is None or state.status.is_review:
        return Standing(state, None, {})
    reads: tuple[Callable[[Aws, str], Any], ...] = (template_of, nested_stacks)
    root, nested = in_parallel(lambda read: read(aws, state.id), reads)
    return Standing(state, root, nested)


def require_deployed(state: StackState | None, session: Session, aws: Aws, package: Package) -> StackState:
    """The stack, where there is more of it than a shell."""
    if state is None or state.status.is_review:
        raise StackStateError(
            f"stack {package.stack}: nothing is deployed in {aws.region}", hint=f"deploy it: {session.command('')}"
        )
    return state


def pack(aws: Aws, package: Package, state: StackState | None) -> Packaged:
    """The tree as it will be deployed; nothing is uploaded yet."""
    return package_tree(package, bucket_for(aws, package, state).name, aws.region)


def bucket_for(aws: Aws, package: Package, state: StackState | None) -> Bucket:
    """The bucket of the package; a stack's own ARN tells the account without a call."""
    return bucket_of(package, aws.account_id if state is None else state.account)


def is_current(standing: Standing, package: Package, packaged: Packaged) -> bool:
    """Whether what stands is what would be deployed."""
    return standing.root is not None and nothing_to_change(standing.state, standing.root, packaged.root, package.tags)


def deployed_tree(aws: Aws, standing: Standing) -> dict[str, Template]:
    """The templates of all that is deployed, by tier; none where nothing is."""
    if standing.root is None:
        return {}
    nested = {tier_name(logical_id): stack_id for logical_id, stack_id in standing.nested.items()}
    return {ROOT: standing.root, **deployed_templates(aws, nested)}
