"""The pointer: which of the two databases the application uses, as a parameter that it reads again and again."""

from __future__ import annotations

from troposphere import ssm

from contract import names
from contract.stack import Stack


def add_pointer(stack: Stack) -> ssm.Parameter:
    """The pointer. The cutover moves it; CloudFormation writes it anew whenever its value here or its tags change.

    So a deployment is refused where params say another database than the pointer does (deployer/live.py).
    """
    return stack.add_stateful(
        ssm.Parameter(
            "Pointer",
            Name=stack.name(names.SSM_PARAMETER, "database"),
            Description="Database that the application uses: data_center or aurora",
            Type="String",
            Tier="Standard",
            AllowedPattern="^(data_center|aurora)$",
            Value=stack.settings.service.database,
        )
    )
