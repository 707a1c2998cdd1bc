"""What a cutover has moved outside of CloudFormation: its phase, the pointer, the weights of the migration rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployer.aws import Aws, error_code, translate
from deployer.stacks import deployed_templates, stack_resources
from deployer.tiers import tier_name

if TYPE_CHECKING:
    from deployer.standing import Standing

Template = Mapping[str, Any]

# The tiers that the cutover's own state is of, and what they call it.
CUTOVER, DATABASE, BALANCER, SERVICE = "cutover", "database", "load_balancer", "service"
PHASE_OUTPUT, POINTER_OUTPUT = "PhaseName", "PointerName"
POINTER, MIGRATION_RULE, DATA_CENTER_GROUP = "Pointer", "MigrationRule", "DcTargetGroup"


@dataclass(frozen=True, slots=True)
class Moved:
    """How things are now. `phase` and `pointer` are "" where there are none.

    `weights` are those of the migration rule by logical id of the target group (its ARN where it is none of the
    stack's), None where there is no rule. `templates` are the deployed ones of the tiers that hold any of this.
    """

    phase: str = ""
    pointer: str = ""
    weights: Mapping[str, int] | None = None
    templates: Mapping[str, Template] = field(default_factory=dict)


def read_moved(aws: Aws, standing: Standing) -> Moved:
    """Ask AWS; nothing where nothing is deployed that a cutover moves."""
    ids = {tier_name(logical_id): stack_id for logical_id, stack_id in standing.nested.items()}
    held = {tier: ids[tier] for tier in (CUTOVER, DATABASE, BALANCER, SERVICE) if tier in ids}
    if CUTOVER not in held or standing.is_new:
        return Moved()
    templates = deployed_templates(aws, held)
    phase, pointer = (
        literal_output(templates.get(tier, {}), output)
        for tier, output in ((CUTOVER, PHASE_OUTPUT), (DATABASE, POINTER_OUTPUT))
    )
    values = read_parameters(aws, [phase, pointer])
    weights = _weights(aws, held[BALANCER]) if BALANCER in held else None
    return Moved(values.get(phase, ""), values.get(pointer, ""), weights, templates)


def literal_output(template: Template, name: str) -> str:
    """The value of an output that is known without asking: a text, or the name of a parameter; "" where it is not."""
    value = template.get("Outputs", {}).get(name, {}).get("Value", "")
    if isinstance(value, dict) and isinstance(value.get("Ref"), str):
        value = template["Resources"].get(value["Ref"], {}).get("Properties", {}).get("Name", "")
    return value if isinstance(value, str) else ""


def read_parameters(aws: Aws, names: list[str]) -> dict[str, str]:
    """The values of these parameters of Parameter Store, without those that are not there; names may be ""."""
    wanted = [name for name in names if name]
    if not wanted:
        return {}
    with translate("read", f"the parameters {', '.join(wanted)}"):
        found = aws.client("ssm").get_parameters(Names=wanted)["Parameters"]
    return {parameter["Name"]: parameter["Value"] for parameter in found}


def forget_phase(aws: Aws, template: Template) -> bool:
    """Delete the phase, which is no resource of the stack; whether there was one."""
    from botocore.exceptions import ClientError

    name = literal_output(template, PHASE_OUTPUT)
    if not name:
        return False
    with translate("delete", f"the parameter {name}"):
        try:
            aws.client("ssm").delete_parameter(Name=name)
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return False
    return True


def _weights(aws: Aws, stack_id: str) -> dict[str, int] | None:
    """What the migration rule does at this moment."""
    from botocore.exceptions import ClientError

    resources = {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
        for resource in stack_resources(aws, stack_id)
        if resource["ResourceStatus"] != "DELETE_COMPLETE"
    }
    rule = resources.get(MIGRATION_RULE)
    if not rule:
        return None
    with translate("describe", f"the listener rule {rule}"):
        try:
            (found,) = aws.elbv2.describe_rules(RuleArns=[rule])["Rules"]
        except ClientError as error:
            if error_code(error) != "RuleNotFound":
                raise
            return None
    names = {arn: logical_id for logical_id, arn in resources.items()}
    groups = [group for action in found["Actions"] for group in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    return {names.get(group["TargetGroupArn"], group["TargetGroupArn"]): group.get("Weight", 1) for group in groups}
