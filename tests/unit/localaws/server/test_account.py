"""The account: who answers, what is saved, what comes back."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import pickling, state
from localaws.account import Account
from localaws.errors import SavedStateError
from localaws.server import Server, listening
from localaws.shims import sandbox

_TEMPLATE = json.dumps(
    {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "topic"}}},
        "Outputs": {"TopicArn": {"Value": {"Ref": "Topic"}}},
    }
)


@pytest.fixture
def account() -> Iterator[Account]:
    made = Account()
    made.reset()
    yield made
    assert made.settle(30)
    made.reset()


def _deploy(account: Account, region: str = "us-east-1") -> None:
    account.clients(region)("cloudformation").create_stack(StackName="stack", TemplateBody=_TEMPLATE)
    assert account.settle(30)


class TestAnswers:
    def test_each_region_has_its_own_control_plane(self, account: Account) -> None:
        _deploy(account)
        _deploy(account, "eu-west-1")
        for region in ("us-east-1", "eu-west-1"):
            (stack,) = account.clients(region)("cloudformation").describe_stacks()["Stacks"]
            assert stack["Outputs"][0]["OutputValue"] == f"arn:aws:sns:{region}:123456789012:topic"
        assert account.clients("eu-west-1") is account.clients("eu-west-1")
        assert not account.busy

    def test_it_is_busy_while_a_stack_is_made(self) -> None:
        made = Account(delay=0.2)
        made.reset()
        assert not made.busy
        made.clients("us-east-1")("cloudformation").create_stack(StackName="stack", TemplateBody=_TEMPLATE)
        assert made.busy
        assert not made.settle(0)
        assert made.settle(30)

    def test_templates_are_read_from_its_buckets(self, account: Account) -> None:
        s3 = account.clients("us-east-1")("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="k", Body=b"content")
        assert account.read_object("bucket", "k") == b"content"
        with pytest.raises(ClientError):
            account.read_object("bucket", "absent")

    @pytest.mark.parametrize(
        ("service", "call"),
        [
            ("s3", lambda client: client.get_bucket_inventory_configuration(Bucket="b", Id="i")),
            ("ec2", lambda client: client.describe_capacity_blocks()),
            ("lambda", lambda client: client.list_code_signing_configs()),
            ("logs", lambda client: client.list_anomalies()),
            ("iam", lambda client: client.list_delegation_requests()),
            ("cloudwatch", lambda client: client.describe_anomaly_detectors()),
        ],
    )
    def test_what_moto_cannot_do_is_an_error_of_aws(
        self, account: Account, service: str, call: Callable[[Any], Any]
    ) -> None:
        def broken(_environ: Any, _start: Any) -> Any:
            raise NotImplementedError("not there <yet>")

        account._moto = broken
        with pytest.raises(ClientError) as caught:
            call(account.clients("us-east-1")(service))
        error = caught.value.response
        assert error["Error"]["Code"] == "NotImplemented"
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert error["Error"]["Message"] == "the embedded AWS cannot do this: NotImplementedError: not there <yet>"

    def test_nobody_saves_while_a_service_is_loaded(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        inside: list[int] = []
        monkeypatch.setattr(account._moto, "get_application", lambda _: inside.append(account.gate._inside))
        account.warm(["sns", "s3"])
        assert inside == [1, 1]

    def test_it_can_be_warmed(self, account: Account) -> None:
        account.warm(["sns", "s3"])
        assert {"sns", "s3"} <= set(account._moto.app_instances)

    def test_it_forgets_everything(self, account: Account) -> None:
        _deploy(account)
        account.clients("us-east-1")("dms").create_endpoint(
            EndpointIdentifier="e", EndpointType="source", EngineName="postgres"
        )
        account.reset()
        clients = account.clients("us-east-1")
        assert clients("cloudformation").describe_stacks()["Stacks"] == []
        assert clients("sns").list_topics()["Topics"] == []
        assert clients("dms").describe_endpoints()["Endpoints"] == []


def _fill(account: Account) -> dict[str, Any]:
    """One of everything that is hard to keep, and how it was told."""
    clients = account.clients("us-east-1")
    s3, kms, iam = clients("s3"), clients("kms"), clients("iam")
    s3.create_bucket(Bucket="bucket")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"x" * 6_000_000):
        s3.put_object(Bucket="bucket", Key="k", Body=body, Metadata={"a_b": "1"})
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/key", TargetKeyId=key)
    pair = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    iam.create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    iam.attach_role_policy(RoleName="role", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    clients("ssm").put_parameter(
        Name="/payments/dev/database", Value="aurora", Type="String", Tags=[{"Key": "Team", "Value": "payments"}]
    )
    clients("secretsmanager").create_secret(Name="secret", SecretString="not-secret")
    clients("acm").request_certificate(DomainName="example.com")
    clients("dms").create_endpoint(EndpointIdentifier="e", EndpointType="source", EngineName="postgres")
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{z}")["Subnet"]["SubnetId"]
        for n, z in enumerate("ab")
    ]
    clients("elbv2").create_load_balancer(Name="balancer", Subnets=subnets)
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    machine = clients("stepfunctions").create_state_machine(
        name="machine", definition=definition, roleArn="arn:aws:iam::123456789012:role/role"
    )["stateMachineArn"]
    execution = clients("stepfunctions").start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    while clients("stepfunctions").describe_execution(executionArn=execution)["status"] == "RUNNING":
        time.sleep(0.01)
    secret = kms.encrypt(KeyId=key, Plaintext=b"plain")["CiphertextBlob"]
    signature = kms.sign(KeyId=pair, Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_256")["Signature"]
    return {
        "vpc": vpc,
        "secret": secret,
        "pair": pair,
        "signature": signature,
        "execution": execution,
        "machine": machine,
    }


def _tell(account: Account, made: dict[str, Any]) -> dict[str, Any]:
    clients = account.clients("us-east-1")
    kms = clients("kms")
    return {
        "versions": [one["VersionId"] for one in clients("s3").list_object_versions(Bucket="bucket")["Versions"]],
        "metadata": clients("s3").head_object(Bucket="bucket", Key="k")["Metadata"],
        "size": clients("s3").head_object(Bucket="bucket", Key="k")["ContentLength"],
        "plain": kms.decrypt(CiphertextBlob=made["secret"])["Plaintext"],
        "valid": kms.verify(
            KeyId=made["pair"], Message=b"m", Signature=made["signature"], SigningAlgorithm="RSASSA_PSS_SHA_256"
        )["SignatureValid"],
        "policies": clients("iam").list_attached_role_policies(RoleName="role")["AttachedPolicies"],
        "uses": clients("iam").get_policy(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")["Policy"][
            "AttachmentCount"
        ],
        "known": clients("iam").get_policy(PolicyArn="arn:aws:iam::aws:policy/job-function/Billing")["Policy"]["Arn"],
        "secret": clients("secretsmanager").get_secret_value(SecretId="secret")["SecretString"],
        "parameter": clients("ssm").get_parameter(Name="/payments/dev/database")["Parameter"]["Value"],
        "tags": clients("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId="/payments/dev/database")[
            "TagList"
        ],
        "certificates": clients("acm").list_certificates()["CertificateSummaryList"][0]["DomainName"],
        "endpoints": clients("dms").describe_endpoints()["Endpoints"],
        "balancer": clients("elbv2").describe_load_balancers()["LoadBalancers"][0]["VpcId"],
        "history": [
            event["type"]
            for event in clients("stepfunctions").get_execution_history(executionArn=made["execution"])["events"]
        ],
        "status": clients("stepfunctions").describe_execution(executionArn=made["execution"])["status"],
        "stacks": clients("cloudformation").describe_stacks()["Stacks"],
    }


class TestSaved:
    def test_everything_comes_back(self, account: Account, tmp_path: Path) -> None:
        made = _fill(account)
        _deploy(account)
        before = _tell(account, made)
        path = tmp_path / "state.account"
        assert account.save(path) == path.stat().st_size - len(path.read_bytes().split(b"\n")[0]) - 1
        assert not account.changed
        assert path.stat().st_mode & 0o777 == 0o600
        account.reset()
        assert account.restore(path)
        assert _tell(account, made) == before
        # The network is one: what stands in it and what it holds are not copies of each other.
        clients = account.clients("us-east-1")
        clients("ec2").create_tags(Resources=[made["vpc"]], Tags=[{"Key": "a", "Value": "1"}])
        balancer = next(iter(_backend("elbv2").load_balancers.values()))
        assert balancer.subnets[0].vpc_id == made["vpc"]
        assert balancer.subnets[0] is _backend("ec2").get_subnet(balancer.subnets[0].id)
        # and everything goes on: an execution that is over cannot be stopped, another can be started
        clients("stepfunctions").stop_execution(executionArn=made["execution"])
        clients("stepfunctions").start_execution(stateMachineArn=made["machine"])
        # and whoever answers a task is told that it waits no more
        with pytest.raises(ClientError, match="InvalidToken"):
            clients("stepfunctions").send_task_failure(taskToken="token")
        assert account.save(path)
        assert account.save(path)

    def test_there_may_be_nothing_to_restore(self, account: Account, tmp_path: Path) -> None:
        assert account.restore(tmp_path / "absent") is False

    def test_an_execution_that_the_end_cut_off_is_over(self, account: Account, tmp_path: Path) -> None:
        machines = account.clients("us-east-1")("stepfunctions")
        definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 3600, "End": True}}})
        role = "arn:aws:iam::123456789012:role/role"
        account.clients("us-east-1")("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
        machine = machines.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
        execution = machines.start_execution(stateMachineArn=machine)["executionArn"]
        account.save(tmp_path / "a")
        account.reset()
        account.restore(tmp_path / "a")
        found = machines.describe_execution(executionArn=execution)
        assert (found["status"], found["cause"]) == ("ABORTED", "the embedded AWS was restarted")

    def test_a_save_gives_way_to_requests(
        self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("localaws.account._QUIET_SECONDS", 0)
        with account.gate.passing():
            found: list[int | None] = []
            saver = threading.Thread(target=lambda: found.append(account.save(tmp_path / "a")))
            saver.start()
            saver.join()
        assert found == [None]
        assert not (tmp_path / "a").exists()

    @pytest.mark.parametrize(
        "content",
        [b"", b"\n", b"not json\nrest", b"{}\nrest", b"[]\n", b'{"localaws": "1", "moto": "1", "python": "3"}\nrest'],
    )
    def test_what_is_no_saved_account_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = _write(tmp_path, content)
        with pytest.raises(SavedStateError, match="is no saved account") as caught:
            state.read_account(path)
        assert "local reset" in caught.value.hint

    @pytest.mark.parametrize(
        "damage", [lambda data: data[:-1], lambda data: data + b"x", lambda data: data[:-1] + b"\0"]
    )
    def test_damage_is_seen(self, account: Account, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
        path = tmp_path / "a"
        account.clients("us-east-1")("sns").create_topic(Name="t")
        account.save(path)
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(SavedStateError, match="is damaged"):
            account.restore(path)

    def test_another_version_is_named(self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "a"
        account.save(path)
        monkeypatch.setattr(state, "VERSION", 99)
        with pytest.raises(SavedStateError, match="another version: localaws 2, here 99"):
            account.restore(path)

    def test_what_the_classes_of_today_cannot_take_is_refused(
        self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a"
        account.clients("us-east-1")("sns").create_topic(Name="t")
        account.save(path)
        monkeypatch.delattr("moto.sns.models.Topic")
        with pytest.raises(SavedStateError, match="cannot be restored: AttributeError"):
            account.restore(path)

    @pytest.mark.parametrize("mode", [0o620, 0o602])
    def test_what_others_could_have_written_is_not_read(self, account: Account, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "a"
        account.save(path)
        path.chmod(mode)
        with pytest.raises(SavedStateError, match="writable by others"):
            account.restore(path)

    def test_what_is_somebody_elses_is_not_read(
        self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a"
        account.save(path)
        monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
        with pytest.raises(SavedStateError, match="belongs to somebody else"):
            account.restore(path)

    def test_what_cannot_be_saved_is_named_and_the_last_save_stays(self, account: Account, tmp_path: Path) -> None:
        path = tmp_path / "a"
        clients = account.clients("us-east-1")
        clients("sns").create_topic(Name="t")
        account.save(path)
        before = path.read_bytes()
        _backend("sns").topics.popitem()[1].odd = iter([lambda: None])
        _backend("sns").odd = (one for one in ())
        with pytest.raises(SavedStateError, match=r"moto.sns.models odd: cannot pickle 'generator'"):
            account.save(path)
        assert path.read_bytes() == before
        del _backend("sns").odd
        assert account.save(path)


def _write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "state.account"
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def _backend(service: str) -> Any:
    from moto.backends import get_backend

    return get_backend(service)["123456789012"]["us-east-1"]


class TestPickled:
    """What no test above meets, but moto may hold."""

    @staticmethod
    def _through(value: Any) -> Any:
        import io

        buffer = io.BytesIO()
        pickling._Pickler(buffer, {}).dump(value)
        return pickling._Unpickler(io.BytesIO(buffer.getvalue())).load()

    def test_locks_are_new_ones(self) -> None:
        for lock in (threading.Lock(), threading.RLock()):
            lock.acquire()
            other = self._through(lock)
            assert type(other) is type(lock)
            assert other.acquire(blocking=False)

    def test_defaults_that_are_plain(self) -> None:
        from collections import defaultdict

        found = self._through(defaultdict(lambda: {}, a=1))  # noqa: PIE807 - as moto writes it
        assert found == {"a": 1}
        assert found["b"] == {}
        assert self._through(defaultdict(list, a=[1]))["b"] == []

    def test_defaults_that_have_plain_defaults(self) -> None:
        from collections import defaultdict

        found = self._through(defaultdict(lambda: defaultdict(dict), a=1))
        assert found == {"a": 1}
        assert found["b"]["c"] == {}
        assert self._through(found)["d"]["e"] == {}

    @pytest.mark.parametrize("made", [lambda: 1, lambda: {"a": 1}, dict], ids=["a number", "not empty", "of no lambda"])
    def test_defaults_that_are_not(self, made: Callable[[], object]) -> None:
        from collections import defaultdict

        with pytest.raises((AttributeError, TypeError), match="pickle"):
            self._through(defaultdict(lambda: made() if made is not dict else defaultdict(lambda: 1)))

    def test_weak_dictionaries(self) -> None:
        import weakref
        from argparse import Namespace

        one = Namespace(a=1)
        held, found = self._through((one, weakref.WeakValueDictionary({"a": one})))
        assert held == one
        assert found["a"] is held

    def test_a_worker_that_has_not_begun_has_no_history(self) -> None:
        class ExecutionWorker:
            env = None

        found = self._through(ExecutionWorker())
        assert found.env.event_manager.get_event_history() == []
        found.stop(stop_date=None, error=None, cause=None)
        assert self._through(found).get_event_history() == []

    def test_backends_that_are_nobodys(self) -> None:
        class Backends:
            backend = pickling._Pickler
            service_name = "nobody"

        with pytest.raises(pickling.UnsavableError, match="moto's nobody"):
            pickling._home(Backends())


def test_a_function_calls_back_while_the_account_is_saved(tmp_path: Path) -> None:
    """A save in the middle of an invocation neither waits for it nor keeps it from going on."""
    account = Account()
    account.reset()
    server = Server(account, tmp_path / "a")
    with listening(server) as endpoint:
        clients = account.clients("us-east-1")
        clients("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
        source = (
            "import json, os, urllib.request\n"
            "def handle(event, context):\n"
            f"    request = urllib.request.Request('{endpoint}/localaws/save', method='POST')\n"
            "    return json.load(urllib.request.urlopen(request))['bytes']\n"
        )
        import io
        import zipfile

        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("code.py", source)
        clients("lambda").create_function(
            FunctionName="f",
            Runtime="python3.13",
            Role="arn:aws:iam::123456789012:role/role",
            Handler="code.handle",
            Code={"ZipFile": buffer.getvalue()},
            Timeout=30,
        )
        answer = clients("lambda").invoke(FunctionName="f")
        assert int(answer["Payload"].read()) > 0
    account.reset()


def test_a_reset_ends_the_functions_that_wait(account: Account, tmp_path: Path) -> None:
    one = sandbox.take("owner", "kind", {}, tmp_path)
    sandbox.give_back(one)
    account.reset()
    assert one not in sandbox._waiting
    assert one._process.returncode is not None
