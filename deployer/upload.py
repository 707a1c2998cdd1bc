"""Package a build: every file under the name of its content, every local path rewritten to it; upload what is new.

The root's text then names the whole tree by content: equal roots are equal trees.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compiler.bundle import TEMPLATE_SUFFIX, file_name
from compiler.canonical import canonical_json
from deployer.aws import Aws, in_parallel, translate
from deployer.bucket import Bucket, ensure_bucket, list_objects
from deployer.changes import ROOT
from deployer.clock import CLOCK, Clock
from deployer.code_locations import LOCATIONS, REMOTE, Location
from deployer.errors import PackageError
from deployer.package_dir import Package

INLINE_BYTES = 51_200  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html


@dataclass(frozen=True, slots=True)
class Packaged:
    """A tree ready for CloudFormation.

    `objects` are the bytes of everything that must lie in the bucket, by key, all below `prefix`. `root_url` is ""
    where the root goes inline. `templates` are all of the tree by tier, rewritten: deployed ones compare to them.
    """

    root: Mapping[str, Any]
    root_text: str
    objects: Mapping[str, bytes]
    prefix: str
    root_url: str
    templates: Mapping[str, Mapping[str, Any]]


def package_tree(package: Package, bucket: str, region: str) -> Packaged:
    """Rewrite the tree; the same build gives the same bytes. `PackageError` where a path names no file of the build.

    Children are rewritten and named before their parents, for a parent's text holds their names.
    """
    packer = _Packer(package, bucket, region)
    root = packer.rewritten(ROOT)
    text = canonical_json(root)
    url = "" if len(text.encode()) <= INLINE_BYTES else packer.store(file_name(ROOT), text.encode())[1]
    return Packaged(root, text, packer.objects, packer.prefix, url, {ROOT: root, **packer.templates})


class _Packer:
    """What has been rewritten and stored so far."""

    def __init__(self, package: Package, bucket: str, region: str) -> None:
        self.prefix = f"{package.stack}/"
        self.objects: dict[str, bytes] = {}
        self.templates: dict[str, Mapping[str, Any]] = {}
        self._package = package
        self._bucket = bucket
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        # The bucket in the path: in the host name it would need a certificate of its own where the endpoint is local.
        self._base = f"https://s3.{region}.{domain}/{bucket}"

    def store(self, path: str, data: bytes) -> tuple[str, str]:
        """Key and URL of a file: `payments-dev/database.<sha256>.template.json`."""
        stem, dot, ending = posixpath.basename(path).partition(".")
        key = f"{self.prefix}{stem}.{hashlib.sha256(data).hexdigest()}{dot}{ending}"
        self.objects[key] = data
        return key, f"{self._base}/{key}"

    def rewritten(self, tier: str) -> dict[str, Any]:
        """The template of a tier, with every local path replaced."""
        template: dict[str, Any] = copy.deepcopy(dict(self._package.templates[tier]))
        for logical_id, resource in template["Resources"].items():
            for location in LOCATIONS.get(resource["Type"], ()):
                for holder, path in _local_path(resource.get("Properties", {}), location):
                    data = self._data(path, f"{file_name(tier)}: {logical_id}.{'.'.join(location.path)}")
                    key, url = self.store(path, data)
                    holder[location.path[-1]] = location.form(self._bucket, key, url)
        return template

    def _data(self, path: str, place: str) -> bytes:
        """What to store for a local path: a template rewritten, any other file as it is."""
        name = posixpath.normpath(path)
        if name not in self._package.files:
            raise PackageError(
                f"{self._package.folder}/{place} names {path}, which is no file of the build",
                hint=f"build it again: python build.py --env {self._package.environment}",
            )
        if not name.endswith(TEMPLATE_SUFFIX):
            return self._package.files[name]
        tier = name.removesuffix(TEMPLATE_SUFFIX)
        if tier not in self.templates:
            self.templates[tier] = self.rewritten(tier)
        return canonical_json(self.templates[tier]).encode()


def _local_path(properties: dict[str, Any], location: Location) -> Iterator[tuple[dict[str, Any], str]]:
    """The mapping that holds a local path, and the path; nothing where there is none, or it is remote already."""
    holder: Any = properties
    for key in location.path[:-1]:
        holder = holder.get(key, {})
    path = holder.get(location.path[-1])
    if isinstance(path, str) and not path.startswith(REMOTE):
        yield holder, path


def upload(
    aws: Aws, bucket: Bucket, packaged: Packaged, tags: Mapping[str, str] | None = None, clock: Clock = CLOCK
) -> int:
    """Upload what the bucket does not hold, make the bucket where it is missing; the number of objects uploaded.

    One listing tells what is there. An object of another size than ours is uploaded again, as a new version.
    """
    held = list_objects(aws, bucket, packaged.prefix)
    if not held:  # nothing was ever uploaded here, so that the bucket may be missing or half-made
        ensure_bucket(aws, bucket, exists=held is not None, tags=dict(tags or {}), clock=clock)
    new = {key: data for key, data in packaged.objects.items() if (held or {}).get(key) != len(data)}
    in_parallel(lambda item: _put(aws, bucket, *item), new.items())
    return len(new)


def _put(aws: Aws, bucket: Bucket, key: str, data: bytes) -> None:
    with translate("upload", f"s3://{bucket.name}/{key}"):
        aws.s3.put_object(
            Bucket=bucket.name,
            Key=key,
            Body=data,
            # S3 refuses a body that arrives damaged.
            ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode(),
            ContentType="application/json" if key.endswith(".json") else "application/octet-stream",
            ExpectedBucketOwner=bucket.account,
        )


def template_argument(packaged: Packaged) -> dict[str, str]:
    """The root as the argument of CreateChangeSet: inline where it fits."""
    return {"TemplateURL": packaged.root_url} if packaged.root_url else {"TemplateBody": packaged.root_text}
