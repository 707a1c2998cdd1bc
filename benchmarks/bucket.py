"""Make the package bucket, as the first deployment of an account would: `python -m benchmarks.bucket FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from deployer.aws import connect
from deployer.bucket import bucket_of, ensure_bucket
from deployer.package_dir import read_package

if __name__ == "__main__":
    package = read_package(Path(sys.argv[1]))
    aws = connect(package.region)
    ensure_bucket(aws, bucket_of(package, aws.account_id), exists=False, tags=dict(package.tags))
