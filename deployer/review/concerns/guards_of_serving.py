"""What protects while the system serves: the front door, the network, what runs, what watches it, who gets in."""

from __future__ import annotations

from deployer.review.concerns.compare import (
    Weaker,
    becomes,
    below,
    changed,
    fewer,
    fewer_in_number,
    fewer_names,
    gone,
    higher,
    less_hsts,
    lower,
    more,
    off,
    on,
    other,
    weaker_tls,
)
from deployer.review.concerns.guard import (
    ENCRYPTED_WITH,
    FURTHER_GROUP,
    NO,
    OPEN,
    OTHER_ROLE,
    TRAFFIC,
    UNPROTECTED,
    YES,
    Guard,
)
from deployer.review.model import Concern

_ALB = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
_TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup"
_WAF = "AWS::WAFv2::WebACL"
_WAF_LOG = "AWS::WAFv2::LoggingConfiguration"
_ENDPOINT = "AWS::EC2::VPCEndpoint"
_ECS = "AWS::ECS::Cluster"
_SERVICE = "AWS::ECS::Service"
_TASK = "AWS::ECS::TaskDefinition"
_MACHINE = "AWS::StepFunctions::StateMachine"
_ALARM = "AWS::CloudWatch::Alarm"
_COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
_ROLE = "AWS::IAM::Role"
_HEADER = "ListenerAttributes/#routing.http.response."
_TUNNEL = "VpnTunnelOptionsSpecifications"
_FURTHER = "a further algorithm is accepted"
_OF_A_TUNNEL: tuple[tuple[str, str | None, Weaker, str], ...] = (
    *(
        (f"Phase{phase}{what}", None, more, _FURTHER)
        for phase in (1, 2)
        for what in ("EncryptionAlgorithms", "IntegrityAlgorithms", "DHGroupNumbers")
    ),
    ("IKEVersions", None, more, "a further version of IKE is accepted"),
    ("LogOptions/CloudwatchLogOptions/LogEnabled", NO, off, "it is not logged any more"),
)

# fmt: off
SERVING: tuple[Guard, ...] = (
    # --- the front door ----------------------------------------------------------------------------------------------
    Guard(_ALB, "LoadBalancerAttributes/#deletion_protection.enabled", NO, off, UNPROTECTED),
    Guard(_ALB, "LoadBalancerAttributes/#access_logs.s3.enabled", NO, off, "requests are not logged any more"),
    Guard(_ALB, "LoadBalancerAttributes/#connection_logs.s3.enabled", NO, off, "connections are not logged"),
    Guard(_ALB, "LoadBalancerAttributes/#routing.http.drop_invalid_header_fields.enabled", NO, off,
          "invalid headers reach the application"),
    Guard(_ALB, "LoadBalancerAttributes/#routing.http.desync_mitigation_mode", "defensive",
          below("monitor", "defensive", "strictest"), "ambiguous requests reach the application"),
    Guard(_ALB, "LoadBalancerAttributes/#waf.fail_open.enabled", NO, on, "requests pass when the WAF fails"),
    Guard(_ALB, "LoadBalancerAttributes/#zonal_shift.config.enabled", NO, off,
          "traffic cannot be moved away from a zone any more", ""),
    *(Guard(_ALB, f"LoadBalancerAttributes/#{kind}_logs.s3.bucket", None, other, f"its {kind} log goes elsewhere")
      for kind in ("access", "connection")),
    Guard(_ALB, "LoadBalancerAttributes/#routing.http.xff_header_processing.mode", "append", becomes("preserve"),
          "the application is told client addresses that a client made up"),
    Guard(_ALB, "SecurityGroups", None, more, FURTHER_GROUP, *OPEN),
    Guard(_ALB, "Scheme", "internet-facing", below("internet-facing", "internal"), "it faces the internet", *OPEN),
    Guard(_LISTENER, "SslPolicy", None, weaker_tls, "older TLS or weaker ciphers are let in"),
    Guard(_LISTENER, "Protocol", None, below("HTTP", "HTTPS"), "clients talk to it in plain text"),
    Guard(_LISTENER, "MutualAuthentication/Mode", "off", below("off", "passthrough", "verify"),
          "clients need no certificate any more", *OPEN),
    *(Guard(_LISTENER, f"{_HEADER}{header}.header_value", None, weaker, f"browsers are not told {header} as before")
      for header, weaker in (("strict_transport_security", less_hsts), ("x_content_type_options", other),
                             ("x_frame_options", other), ("content_security_policy", other))),
    Guard(_LISTENER, f"{_HEADER}access_control_allow_origin.header_value", None, becomes("*"),
          "pages of any site may read the answers", *OPEN),
    Guard(_TARGETS, "Protocol", None, below("HTTP", "HTTPS"), "requests reach the targets in plain text"),
    Guard(_TARGETS, "Targets", None, other, "requests go to other addresses", *TRAFFIC),
    Guard(_WAF, "DataProtectionConfig/DataProtections", None, fewer, "its log shows more of a request"),
    Guard(_WAF_LOG, "RedactedFields", None, fewer, "the log shows more of a request"),
    Guard(_WAF_LOG, "LoggingFilter", None, changed, "other requests are logged, or fewer"),
    Guard(_WAF_LOG, "LogDestinationConfigs", None, fewer, "what the WAF decides is logged elsewhere"),
    Guard("AWS::WAFv2::WebACLAssociation", "WebACLArn", None, other, "another WAF inspects the requests"),
    # --- the network -------------------------------------------------------------------------------------------------
    *(Guard("AWS::EC2::Route", target, None, other, "it leads elsewhere", *TRAFFIC)
      for target in ("NatGatewayId", "GatewayId", "TransitGatewayId", "VpcPeeringConnectionId")),
    Guard("AWS::EC2::VPC", "EnableDnsSupport", YES, off, "no name is resolved in the VPC any more", *TRAFFIC),
    Guard(_ENDPOINT, "SecurityGroupIds", None, more, FURTHER_GROUP, *OPEN),
    Guard(_ENDPOINT, "PrivateDnsEnabled", NO, off, "the service's own name leads past it", "", Concern.TRAFFIC),
    *(Guard(_ENDPOINT, places, None, fewer_in_number, "fewer subnets reach it", "", Concern.TRAFFIC)
      for places in ("RouteTableIds", "SubnetIds")),
    Guard("AWS::Route53::HostedZone", "VPCs", None, fewer, "a VPC does not resolve its names any more", *TRAFFIC),
    Guard("AWS::Route53::HostedZone", "VPCs", None, more, "a further VPC resolves its names", *OPEN),
    *(Guard("AWS::EC2::VPNConnection", f"{_TUNNEL}/{index}/{path}", missing, weaker, f"{text} in tunnel {index + 1}")
      for index in (0, 1) for path, missing, weaker, text in _OF_A_TUNNEL),
    # --- the service and the validator -------------------------------------------------------------------------------
    Guard(_ECS, "ClusterSettings/#containerInsights", "disabled", below("disabled", "enabled", "enhanced"),
          "fewer metrics of tasks, which alarms watch"),
    Guard(_ECS, "Configuration/ExecuteCommandConfiguration/Logging", "DEFAULT", becomes("NONE"),
          "what people do in a task is not logged"),
    Guard(_SERVICE, "EnableExecuteCommand", NO, on, "people may open a shell in a task", *OPEN),
    Guard(_SERVICE, "NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp", "DISABLED", on,
          "tasks get public addresses", *OPEN),
    Guard(_SERVICE, "DeploymentConfiguration/DeploymentCircuitBreaker/Rollback", NO, off,
          "a deployment whose tasks do not start is not rolled back any more"),
    Guard(_SERVICE, "DeploymentConfiguration/DeploymentCircuitBreaker/Enable", NO, off,
          "a deployment whose tasks do not start goes on"),
    Guard(_SERVICE, "DeploymentConfiguration/Alarms/Rollback", NO, off,
          "a deployment that raises alarms is not rolled back any more"),
    Guard(_SERVICE, "DeploymentConfiguration/Alarms/Enable", NO, off, "no alarm watches a deployment any more"),
    Guard(_SERVICE, "DeploymentConfiguration/Strategy", "ROLLING", becomes("ROLLING"),
          "a deployment keeps no old tasks to go back to"),
    Guard(_SERVICE, "DeploymentConfiguration/MinimumHealthyPercent", 100, lower,
          "a deployment may stop more tasks than it has started", "", Concern.TRAFFIC),
    Guard(_SERVICE, "NetworkConfiguration/AwsvpcConfiguration/SecurityGroups", None, more, FURTHER_GROUP, *OPEN),
    Guard(_SERVICE, "LoadBalancers", None, other, "requests reach its tasks otherwise, or not at all", *TRAFFIC),
    *(Guard("AWS::ApplicationAutoScaling::ScalableTarget", f"{end}Capacity", 1, becomes("0"), "no task may be left",
            *TRAFFIC) for end in ("Min", "Max")),
    Guard(_TASK, "TaskRoleArn", None, changed, OTHER_ROLE, *OPEN),
    Guard(_TASK, "ExecutionRoleArn", None, changed, "what starts it acts as another role", *OPEN),
    Guard(_SERVICE, "DeploymentConfiguration/Alarms/AlarmNames", None, fewer_in_number,
          "fewer alarms watch a deployment"),
    Guard(_SERVICE, "DeploymentConfiguration/BakeTimeInMinutes", 15, lower,
          "the old tasks are kept for less time to go back to", ""),
    Guard("AWS::Lambda::Function", "KmsKeyArn", None, other, ENCRYPTED_WITH),
    *(Guard("AWS::Lambda::Function", f"Environment/Variables/{side}_{what}", None, other, "it compares otherwise")
      for side in ("SOURCE", "TARGET") for what in ("SECRET_ARN", "CA")),
    Guard("AWS::Lambda::Function", "Environment/Variables/SCHEMAS", None, fewer, "it compares fewer schemas"),
    Guard("AWS::Lambda::Function", "ReservedConcurrentExecutions", None, becomes("0"), "it cannot run any more"),
    Guard("AWS::Lambda::Function", "Role", None, changed, OTHER_ROLE, *OPEN),
    Guard("AWS::Lambda::Function", "VpcConfig/SecurityGroupIds", None, more, FURTHER_GROUP, *OPEN),
    Guard("AWS::Lambda::Url", "AuthType", "AWS_IAM", becomes("NONE"), "anybody may call the function", *OPEN),
    Guard(_MACHINE, "RoleArn", None, changed, OTHER_ROLE, *OPEN),
    Guard(_MACHINE, "LoggingConfiguration/IncludeExecutionData", NO, on, "data of a run reaches the log"),
    Guard("AWS::Lambda::Function", "VpcConfig/SecurityGroupIds", None, gone, "it leaves the VPC", *OPEN),
    Guard(_MACHINE, "LoggingConfiguration/Level", "OFF",
          below("OFF", "FATAL", "ERROR", "ALL"), "less of a run is logged"),
    # --- watching ----------------------------------------------------------------------------------------------------
    *(guard for kind in (_ALARM, _COMPOSITE) for guard in (
        Guard(kind, "ActionsEnabled", YES, off, "it tells nobody any more"),
        Guard(kind, "AlarmActions", None, fewer, "it tells others, or nobody"),
    )),
    Guard(_ALARM, "TreatMissingData", "missing", below("notBreaching", "ignore", "missing", "breaching"),
          "silence raises it less"),
    Guard(_ALARM, "EvaluationPeriods", None, higher, "it is raised later", ""),
    Guard(_ALARM, "DatapointsToAlarm", None, higher, "it is raised later", ""),
    *(Guard(_ALARM, path, None, other, "it watches something else")
      for path in ("Namespace", "MetricName", "Dimensions", "Metrics", "Statistic", "ExtendedStatistic",
                   "ComparisonOperator")),
    Guard(_COMPOSITE, "AlarmRule", None, fewer_names, "fewer alarms raise it"),
    Guard(_COMPOSITE, "AlarmRule", None, other, "it is raised by other alarms", ""),
    Guard(_COMPOSITE, "ActionsSuppressor", None, changed, "another alarm keeps it silent"),
    Guard("AWS::Events::Rule", "State", "ENABLED", off, "it tells nobody any more"),
    Guard("AWS::Events::Rule", "EventPattern", None, other, "it tells of other events"),
    Guard("AWS::Events::Rule", "Targets", None, fewer, "it tells others, or nobody"),
    Guard("AWS::SNS::Subscription", "FilterPolicy", None, changed, "the recipient is told of some events only"),
    Guard("AWS::RDS::EventSubscription", "SourceIds", None, fewer_in_number, "it tells of fewer resources"),
    Guard("AWS::RDS::EventSubscription", "Enabled", YES, off, "it tells nobody any more"),
    Guard("AWS::RDS::EventSubscription", "EventCategories", None, fewer, "it tells of fewer events"),
    Guard("AWS::DMS::EventSubscription", "Enabled", YES, off, "it tells nobody any more"),
    Guard("AWS::SNS::Topic", "KmsMasterKeyId", None, other, ENCRYPTED_WITH),
    Guard("AWS::EC2::FlowLog", "TrafficType", "ALL", below("ACCEPT", "REJECT", "ALL"), "less traffic is logged"),
    # --- who gets in -------------------------------------------------------------------------------------------------
    Guard("AWS::EC2::Subnet", "MapPublicIpOnLaunch", NO, on, "what starts in it gets a public address", *OPEN),
    Guard(_ROLE, "PermissionsBoundary", None, other, "nothing, or something else, bounds what it may do", *OPEN),
    Guard(_ROLE, "ManagedPolicyArns", None, more, "it gets a further managed policy", *OPEN),
    Guard(_ROLE, "MaxSessionDuration", 3600, higher, "sessions last longer", *OPEN),
)
# fmt: on
