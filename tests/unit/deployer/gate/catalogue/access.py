"""Security groups and permissions."""

from __future__ import annotations

from tests.unit.deployer.gate.catalogue.edits import GONE, add, both, drop, put, rename

ROLE = "identity.TaskExecutionRole"
STATEMENTS = "Policies/0/PolicyDocument/Statement"

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "ingress any": (
        add(
            "security.Any",
            "AWS::EC2::SecurityGroupIngress",
            GroupId={"Fn::GetAtt": ["DatabaseSecurityGroup", "GroupId"]},
            IpProtocol="-1",
            CidrIp="0.0.0.0/0",
        ),
        ["access security.Any"],
    ),
    "ingress v6": (
        add(
            "security.Any",
            "AWS::EC2::SecurityGroupIngress",
            GroupId={"Fn::GetAtt": ["DatabaseSecurityGroup", "GroupId"]},
            IpProtocol="tcp",
            FromPort=5432,
            ToPort=5432,
            CidrIpv6="::/0",
        ),
        ["access security.Any"],
    ),
    "ingress wider port": (
        both(
            put("security.DatabaseFromServicePort5432", "FromPort", 0),
            put("security.DatabaseFromServicePort5432", "ToPort", 65535),
        ),
        ["access security.DatabaseFromServicePort5432"],
    ),
    "ingress narrower": (put("security.LoadBalancerFrom0x0x0x0x0Port443", "CidrIp", "10.0.0.0/8"), []),
    "ingress test port wide": (
        put("security.LoadBalancerFrom10x0x0x0x16Port9443", "CidrIp", "10.0.0.0/8"),
        ["access security.LoadBalancerFrom10x0x0x0x16Port9443"],
    ),
    "ingress removed": (drop("security.DatabaseFromServicePort5432"), []),
    "ingress renamed": (rename("security.DatabaseFromServicePort5432", "Renamed"), []),
    "ingress description": (put("security.DatabaseFromServicePort5432", "Description", "x"), []),
    "egress any": (
        add(
            "security.Any",
            "AWS::EC2::SecurityGroupEgress",
            GroupId={"Fn::GetAtt": ["ServiceSecurityGroup", "GroupId"]},
            IpProtocol="-1",
            CidrIp="0.0.0.0/0",
        ),
        ["access security.Any"],
    ),
    "egress default": (
        put("security.DatabaseSecurityGroup", "SecurityGroupEgress", GONE),
        ["access security.DatabaseSecurityGroup"],
    ),
    "group inline ingress": (
        put(
            "security.DatabaseSecurityGroup",
            "SecurityGroupIngress",
            [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "10.0.0.0/8"}],
        ),
        ["access security.DatabaseSecurityGroup"],
    ),
    "group name (replaced)": (put("security.DatabaseSecurityGroup", "GroupName", "x"), []),
    "group description": (put("security.ServiceSecurityGroup", "GroupDescription", "x"), []),
    "prefix list ingress": (
        add(
            "security.Any",
            "AWS::EC2::SecurityGroupIngress",
            GroupId={"Fn::GetAtt": ["DatabaseSecurityGroup", "GroupId"]},
            IpProtocol="tcp",
            FromPort=5432,
            ToPort=5432,
            SourcePrefixListId="pl-1",
        ),
        ["access security.Any"],
    ),
    "iam NotAction": (
        put(ROLE, STATEMENTS + "/-", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        ["access identity.TaskExecutionRole"],
    ),
    "iam NotResource": (
        put(
            ROLE,
            STATEMENTS + "/-",
            {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::secret/*"},
        ),
        ["access identity.TaskExecutionRole"],
    ),
    "iam action star": (
        put(ROLE, STATEMENTS + "/0/Action", ["secretsmanager:*"]),
        ["access identity.TaskExecutionRole"],
    ),
    "iam resource star": (put(ROLE, STATEMENTS + "/0/Resource", ["*"]), ["access identity.TaskExecutionRole"]),
    "iam condition dropped": (put(ROLE, STATEMENTS + "/1/Condition", GONE), ["access identity.TaskExecutionRole"]),
    "iam narrower resource": (
        put(ROLE, STATEMENTS + "/1/Resource", ["arn:aws:kms:us-east-1:123456789012:key/1"]),
        ["access identity.TaskExecutionRole"],
    ),
    "iam narrower condition": (
        put(ROLE, STATEMENTS + "/0/Condition", {"StringEquals": {"aws:SourceVpc": "vpc-1"}}),
        [],
    ),
    "iam deny lifted": (
        put("identity.ValidatorRole", "Policies/#network/PolicyDocument/Statement/#NotForTheCode", GONE),
        ["access identity.ValidatorRole"],
    ),
    "iam deny narrowed": (
        put(
            "identity.ValidatorRole",
            "Policies/#network/PolicyDocument/Statement/#NotForTheCode/Action",
            ["ec2:CreateNetworkInterface"],
        ),
        ["access identity.ValidatorRole"],
    ),
    "iam deny condition more": (
        put(
            "identity.ValidatorRole",
            "Policies/#network/PolicyDocument/Statement/#NotForTheCode/Condition/StringEquals",
            {"aws:PrincipalTag/x": "y"},
        ),
        ["access identity.ValidatorRole"],
    ),
    "iam deny to NotAction": (
        put(
            "identity.ValidatorRole",
            "Policies/#network/PolicyDocument/Statement/#NotForTheCode",
            lambda s: {**{k: v for k, v in s.items() if k != "Action"}, "NotAction": ["ec2:DescribeSubnets"]},
        ),
        ["access identity.ValidatorRole"],
    ),
    "iam trust account": (
        put(
            ROLE,
            "AssumeRolePolicyDocument/Statement/-",
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole"},
        ),
        ["access identity.TaskExecutionRole"],
    ),
    "iam trust condition": (
        put(ROLE, "AssumeRolePolicyDocument/Statement/0/Condition", GONE),
        ["access identity.TaskExecutionRole"],
    ),
    "iam trust service": (
        put(
            ROLE,
            "AssumeRolePolicyDocument/Statement/0/Principal",
            {"Service": ["ecs-tasks.amazonaws.com", "ec2.amazonaws.com"]},
        ),
        ["access identity.TaskExecutionRole"],
    ),
    "iam managed policy": (
        put(ROLE, "ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]),
        ["access identity.TaskExecutionRole"],
    ),
    "iam managed policy removed": (put("identity.InfrastructureRole", "ManagedPolicyArns", GONE), []),
    "iam session": (put(ROLE, "MaxSessionDuration", 43200), ["access identity.TaskExecutionRole"]),
    "iam role name": (put(ROLE, "RoleName", "x"), []),
    "iam boundary added": (put(ROLE, "PermissionsBoundary", "arn:aws:iam::123456789012:policy/b"), []),
    "iam policy renamed": (put(ROLE, "Policies/0/PolicyName", "other"), []),
    "iam statement split": (put(ROLE, STATEMENTS, lambda s: [*s, {**s[0], "Sid": "Again"}]), []),
    "iam new role admin": (
        add(
            "identity.Boss",
            "AWS::IAM::Role",
            AssumeRolePolicyDocument={
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
            },
            ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"],
        ),
        ["access identity.Boss"],
    ),
    "iam new user": (
        add("identity.U", "AWS::IAM::User", ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
        ["access identity.U"],
    ),
    "iam access key": (add("identity.U", "AWS::IAM::AccessKey", UserName="x"), ["access identity.U"]),
    "iam policy to role": (
        add(
            "identity.P",
            "AWS::IAM::Policy",
            PolicyName="x",
            Roles=[{"Ref": "TaskRole"}],
            PolicyDocument={"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        ),
        ["access identity.P"],
    ),
    "iam managed policy to role": (
        add(
            "identity.P",
            "AWS::IAM::ManagedPolicy",
            Roles=[{"Ref": "TaskRole"}],
            PolicyDocument={"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        ),
        ["access identity.P"],
    ),
    "iam rolepolicy": (
        add(
            "identity.P",
            "AWS::IAM::RolePolicy",
            PolicyName="x",
            RoleName={"Ref": "TaskRole"},
            PolicyDocument={"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        ),
        ["access identity.P"],
    ),
    "lambda permission public": (
        add(
            "validation.Perm",
            "AWS::Lambda::Permission",
            FunctionName={"Ref": "Function"},
            Action="lambda:InvokeFunction",
            Principal="*",
        ),
        ["access validation.Perm"],
    ),
    "lambda url": (
        add("validation.Url", "AWS::Lambda::Url", TargetFunctionArn={"Ref": "Function"}, AuthType="NONE"),
        ["access validation.Url"],
    ),
    "iam condition operator": (
        put(ROLE, STATEMENTS + "/1/Condition", {"StringLike": {"kms:ViaService": ["*"]}}),
        ["access identity.TaskExecutionRole"],
    ),
    "iam condition ifexists": (
        put(ROLE, STATEMENTS + "/1/Condition", lambda c: {"StringEqualsIfExists": c["StringEquals"]}),
        ["access identity.TaskExecutionRole"],
    ),
    "iam role removed": (drop("identity.MonitoringRole"), []),
}
