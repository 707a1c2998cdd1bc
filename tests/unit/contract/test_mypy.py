"""A wrongly wired tier is refused by mypy too, where a person writes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CASES = """\
from contract.kinds import SubnetId, VpcId
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Report, Wire
from contract.wiring import Outputs as BaseOutputs


class Outputs(BaseOutputs):
    vpc_id: Output[VpcId]
    subnet_id: Report[SubnetId]


class Inputs(BaseInputs):
    vpc_id: Wire[VpcId]


Inputs(vpc_id=Outputs.vpc_id)
Inputs(vpc_id=Outputs.subnet_id)  # refused: arg-type
Inputs(vpc_id=Outputs.vcp_id)  # refused: attr-defined
Inputs()  # refused: call-arg
Inputs(vpc_id=Outputs.vpc_id, other=Outputs.vpc_id)  # refused: call-arg
Inputs(vpc_id="vpc-1")  # refused: arg-type
"""


def test_mypy_refuses_what_the_linker_refuses(tmp_path):
    (tmp_path / "cases.py").write_text(CASES)
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache", tmp_path / "cases.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )  # fmt: skip
    refused = {
        (int(line.split(":")[1]), line.rpartition("[")[2].rstrip("]"))
        for line in run.stdout.splitlines()
        if ": error: " in line
    }
    expected = {
        (number, line.partition("# refused: ")[2])
        for number, line in enumerate(CASES.splitlines(), start=1)
        if "# refused: " in line
    }
    assert refused == expected, run.stdout + run.stderr
