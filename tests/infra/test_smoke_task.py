"""The one-off task of the smoke test: who it may reach, what it may do, what `ens` is told of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from environments import load
from infra.reference.table import reference
from ops.smoke.task import OUTPUTS
from tests.infra.conftest import Stacks, stacks_of
from tests.infra.template import Template, read


def container(ingress: Template) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = ingress.properties("Smoke/Task")["ContainerDefinitions"]
    return found


def variables(ingress: Template) -> dict[str, Any]:
    return {v["Name"]: v["Value"] for v in container(ingress)["Environment"]}


def test_ens_finds_all_that_it_needs_to_start_the_task(prod: Stacks) -> None:
    assert set(OUTPUTS) <= prod["ingress"].document["Outputs"].keys()


def test_the_task_runs_the_receivers_image_with_the_clients_command(prod: Stacks) -> None:
    ingress = prod["ingress"]
    (receiver,) = ingress.properties("Receiver/Task")["ContainerDefinitions"]
    client = container(ingress)
    assert client["Image"] == receiver["Image"]
    assert client["EntryPoint"] == ["python", "-m", "receiver.smoke_client"]
    assert client["ReadonlyRootFilesystem"] is True
    assert client["User"] == receiver["User"]


def test_the_tasks_role_has_no_permissions(prod: Stacks) -> None:
    ingress = prod["ingress"]
    assert ingress.statements(ingress.id_of("Smoke/Role")) == []


def test_the_operator_may_run_this_task_pass_its_two_roles_and_nothing_more(
    prod: Stacks,
) -> None:
    ingress = prod["ingress"]
    policy = ingress.properties("Smoke/Operator")
    (role,) = policy["Roles"]
    (exported,) = (
        output["Value"]
        for output in prod["core"].document["Outputs"].values()
        if output.get("Export", {}).get("Name") == role["Fn::ImportValue"]
    )
    assert exported == {"Ref": prod["core"].id_of("People/Operator")}
    roles = {f"<{ingress.id_of(f'Smoke/{each}')}.Arn>" for each in ("Role", "Task/ExecutionRole")}
    cluster = {"Fn::GetAtt": [ingress.id_of("Receiver/Cluster"), "Arn"]}
    arn = "arn:aws:ecs:us-east-1:<AWS::AccountId>"
    may = {s.actions: (set(s.resources), s.conditions) for s in read(policy["PolicyDocument"])}
    assert may == {
        ("ecs:RunTask",): (
            {f"{arn}:task-definition/hl7-ens-prod-smoke:*"},
            {"ArnEquals": {"ecs:cluster": cluster}},
        ),
        ("iam:PassRole",): (
            roles,
            {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    }
    for (action,), (resources, conditions) in may.items():
        known = reference().action(action)
        assert {key for part in conditions.values() for key in part} <= set(known.conditions)
        patterns = reference().arn_patterns(action)
        for resource in resources - roles:
            plain = resource.replace("<AWS::AccountId>", "111122223333")
            assert any(pattern.fullmatch(plain) for pattern in patterns), action


def test_the_operator_reads_the_tasks_log_and_sees_alarms(prod: Stacks) -> None:
    core, log = prod["core"], prod["ingress"].properties("Smoke/Logs")["LogGroupName"]
    operator = core.id_of("People/Operator")
    arn = f"arn:aws:logs:us-east-1:<AWS::AccountId>:log-group:{log}:log-stream:smoke/smoke/1"
    assert core.allowed(operator, "logs:GetLogEvents", arn)
    assert core.allowed(operator, "cloudwatch:DescribeAlarms", "*")
    assert core.allowed(operator, "pipes:ListPipes", "*")


def test_the_load_balancer_admits_the_task_on_the_mllp_port_alone(prod: Stacks) -> None:
    ingress = prod["ingress"]
    group = {"Fn::GetAtt": [ingress.id_of("Smoke/SecurityGroup"), "GroupId"]}
    balancer = {"Fn::GetAtt": [ingress.id_of("LoadBalancer/SecurityGroup"), "GroupId"]}
    rules = [
        rule["Properties"]
        for rule in ingress.of_type("AWS::EC2::SecurityGroupIngress").values()
        if rule["Properties"].get("SourceSecurityGroupId") == group
    ]
    assert [(r["GroupId"], r["FromPort"], r["ToPort"]) for r in rules] == [(balancer, 17000, 17000)]
    assert "SecurityGroupIngress" not in ingress.properties("Smoke/SecurityGroup")


def test_without_tls_the_task_connects_in_plain_text(
    synthesised: Callable[[str], Stacks],
) -> None:
    assert "ENS_SMOKE_TLS" not in variables(synthesised("dev")["ingress"])


def test_with_tls_at_the_receiver_the_task_speaks_it_with_its_own_certificate() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:{}-AbCdEf"
    prod = load("prod")
    receiver = replace(
        prod.receiver,
        tls_secret=arn.format("tls"),
        smoke_secret=arn.format("smoke"),
        server_name="hl7.hospital.org",
    )
    ingress = stacks_of(replace(prod, receiver=receiver))["ingress"]
    given = variables(ingress)
    assert (given["ENS_SMOKE_TLS"], given["ENS_SMOKE_SERVER_NAME"]) == ("on", "hl7.hospital.org")
    assert container(ingress)["Secrets"] == [
        {"Name": "ENS_SMOKE_IDENTITY", "ValueFrom": arn.format("smoke")}
    ]
