"""Corrections to services of which moto forgets or lacks one thing."""

from __future__ import annotations

import json
from typing import Any

from localaws.shims.patch import added, around


def keep_data_protection_of_web_acls() -> None:
    """CreateWebACL and UpdateWebACL forget DataProtectionConfig.

    https://docs.aws.amazon.com/waf/latest/APIReference/API_WebACL.html
    """
    from moto.wafv2.models import FakeWebACL
    from moto.wafv2.responses import WAFV2Response

    for operation in ("create_web_acl", "update_web_acl"):

        @around(WAFV2Response, operation)
        def keep(original: Any, self: Any) -> Any:
            answer = original(self)
            body = json.loads(self.body)
            for acl in self.wafv2_backend.wacls.values():
                if acl.name == body["Name"]:
                    acl.data_protection_config = body.get("DataProtectionConfig")
            return answer

    @around(FakeWebACL, "to_dict")
    def to_dict(original: Any, self: Any) -> dict[str, Any]:
        config = getattr(self, "data_protection_config", None)
        return {**original(self), **({"DataProtectionConfig": config} if config else {})}


def tell_the_signature_version_of_topics() -> None:
    """GetTopicAttributes does not tell SignatureVersion, though it is kept.

    https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
    """
    from moto.sns.responses import SNSResponse

    @around(SNSResponse, "get_topic_attributes")
    def get_topic_attributes(original: Any, self: Any) -> Any:
        answer = original(self)
        topic = self.backend.get_topic(self._get_param("TopicArn"))
        if version := getattr(topic, "signature_version", None):
            answer.result["Attributes"]["SignatureVersion"] = version
        return answer


def tag_scalable_targets() -> None:
    """RegisterScalableTarget takes tags, and there are three operations for them; moto has none of it.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TagResource.html
    """
    from moto.applicationautoscaling.exceptions import AWSValidationException
    from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

    def tags(response: Any, arn: str) -> dict[str, str]:
        targets = response.applicationautoscaling_backend.targets
        for target in [target for found in targets.values() for target in found.values()]:
            if target.arn == arn:
                return target.__dict__.setdefault("tags", {})  # type: ignore[no-any-return]
        raise AWSValidationException(f"The resource {arn} doesn't exist")

    @around(ApplicationAutoScalingResponse, "register_scalable_target")
    def register_scalable_target(original: Any, self: Any) -> Any:
        answer = original(self)
        tags(self, json.loads(answer)["ScalableTargetARN"]).update(self._get_param("Tags") or {})
        return answer

    @added(ApplicationAutoScalingResponse)
    def tag_resource(self: Any) -> str:
        tags(self, self._get_param("ResourceARN")).update(self._get_param("Tags"))
        return "{}"

    @added(ApplicationAutoScalingResponse)
    def untag_resource(self: Any) -> str:
        found = tags(self, self._get_param("ResourceARN"))
        for key in self._get_param("TagKeys"):
            found.pop(key, None)
        return "{}"

    @added(ApplicationAutoScalingResponse)
    def list_tags_for_resource(self: Any) -> str:
        return json.dumps({"Tags": tags(self, self._get_param("ResourceARN"))})


def keep_the_arn_of_scaling_policies() -> None:
    """PutScalingPolicy changes a policy; moto makes another, with another ARN, beside the alarms of the first.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
    """
    from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

    @around(ApplicationAutoscalingBackend, "put_scaling_policy")
    def put_scaling_policy(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        before = dict(self.policies)
        policy = original(self, *args, **kwargs)
        for key, old in before.items():
            if self.policies[key] is not old:
                old.delete_alarms(self.account_id, self.region_name)
                for alarm in policy.alarms:
                    alarm.alarm_actions = [
                        one.replace(policy.policy_arn, old.policy_arn) for one in alarm.alarm_actions
                    ]
                    alarm.description = alarm.description.replace(policy.policy_arn, old.policy_arn)
                policy.policy_arn = old.policy_arn
        return policy


def name_executions() -> None:
    """StartExecution without a name makes one up; moto calls every such execution "None", and so refuses the second.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    import uuid

    from moto.stepfunctions.models import StepFunctionBackend
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    for backend in (StepFunctionBackend, StepFunctionsParserBackend):

        @around(backend, "start_execution")
        def start_execution(original: Any, self: Any, state_machine_arn: str, name: str | None, *rest: Any) -> Any:
            return original(self, state_machine_arn, name or str(uuid.uuid4()), *rest)


def load_managed_policies_of_one_partition() -> None:
    """Before the first request moto makes IAM in all six partitions, and would read 1,500 policies for each: a second.

    There is one partition here.
    """
    from moto.iam.models import IAMBackend

    @around(IAMBackend, "_init_aws_policies")
    def load(original: Any, self: Any) -> Any:
        return original(self) if self.partition == "aws" else []
