"""RDS hosts are verified against the roots that ship, whatever the DSN leaves out; others as the DSN says."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.certificates import RDS_BUNDLE, REPOSITORY
from cutover import certificates
from cutover.certificates import with_roots
from validator.endpoint import from_dsn
from validator.errors import UsageError

HOST = "payments-dev-database.cluster-c0ffee.us-east-1.rds.amazonaws.com"


def test_an_rds_host_has_the_roots_that_dms_and_the_validator_have() -> None:
    endpoint = with_roots(from_dsn("target", f"postgresql://u@{HOST.upper()}/payments", {}))
    assert endpoint.tls == "verify-full"
    assert endpoint.ca == REPOSITORY / RDS_BUNDLE.format(region="us-east-1")


def test_roots_of_ones_own_are_kept() -> None:
    endpoint = with_roots(from_dsn("target", f"postgresql://u@{HOST}/payments?sslrootcert=/other.pem", {}))
    assert endpoint.ca == Path("/other.pem")


@pytest.mark.parametrize("host", ["db.example", "us-east-1.rds.amazonaws.com.example", "rds.amazonaws.com"])
def test_another_host_is_left_alone(host: str) -> None:
    endpoint = from_dsn("source", f"postgresql://u@{host}/payments", {})
    assert with_roots(endpoint) is endpoint


@pytest.mark.parametrize("mode", ["disable", "prefer", "require", "verify-ca"])
def test_less_than_full_verification_of_rds_is_refused(mode: str) -> None:
    endpoint = from_dsn("target", f"postgresql://u@{HOST}/payments?sslmode={mode}", {})
    with pytest.raises(UsageError, match=f"sslmode {mode} would not prove that the target database"):
        with_roots(endpoint)


def test_a_region_whose_roots_do_not_ship() -> None:
    endpoint = from_dsn("target", "postgresql://u@x.cluster-y.ap-south-2.rds.amazonaws.com/payments", {})
    with pytest.raises(UsageError, match=r"ap-south-2 do not ship with the code .add them as rds-ap-south-2\.pem"):
        with_roots(endpoint)


def test_the_folder_is_the_validators() -> None:
    assert certificates.FOLDER == REPOSITORY / "validator" / "certificates"
