"""Every environment synthesises, offline, under its own names."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from environments import ReceiverSection, load, names
from tests.conftest import ROOT
from tests.infra.conftest import CLOUD, EVERY, Stacks
from tests.infra.template import Template

OUTPUTS = {
    *("MailDkim1", "MailDkim2", "MailDkim3"),
    *("VaultBucket", "QueueUrl", "DeadLetterQueueUrl", "StateMachineArn", "AuditTable"),
    *("StatusTable", "LedgerTable", "RegistryTable", "ReferenceKeySecret", "AuditKeySecret"),
    *("AuditSealKeys", "AuditDigestBucket", "StoredDays"),
    *("EncountersTable", "ConfigurationBucket", "ConfigurationSet", "FromAddress"),
}


def test_the_environments_are_local_dev_staging_and_prod() -> None:
    assert set(names()) == set(EVERY)


def test_local_is_the_core_stack_alone(synthesised: Callable[[str], Stacks]) -> None:
    assert set(synthesised("local")) == {"core"}


@pytest.mark.parametrize("name", CLOUD)
def test_a_cloud_environment_has_network_core_and_ingress(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    stacks = synthesised(name)
    assert set(stacks) == {"network", "core", "ingress"}
    assert {t.name for t in stacks.values()} == {f"hl7-ens-{name}-{part}" for part in stacks}


def test_an_operator_finds_everything_by_the_outputs(core: Template) -> None:
    named = {k for k in core.document["Outputs"] if not k.startswith("ExportsOutput")}
    assert named == OUTPUTS


def test_senders_find_the_receiver_by_its_output(prod: Stacks) -> None:
    assert "ReceiverAddress" in prod["ingress"].document["Outputs"]


def test_every_explicit_name_carries_the_environment(core: Template) -> None:
    environment = core.name.removesuffix("-core")
    names = [
        str(value)
        for resource in core.resources.values()
        for key, value in resource.get("Properties", {}).items()
        if isinstance(value, str)
        and key
        in (
            *("FunctionName", "QueueName", "StateMachineName", "TopicName", "AlarmName"),
            *("LogGroupName", "AliasName", "DashboardName"),
        )
    ]
    assert names
    assert [name for name in names if environment not in name] == []


def test_the_stacks_of_one_environment_hold_no_name_of_another(
    synthesised: Callable[[str], Stacks],
) -> None:
    for name in EVERY:
        text = json.dumps([t.document for t in synthesised(name).values()])
        assert [other for other in EVERY if other != name and f"hl7-ens-{other}-" in text] == []


def test_local_and_dev_know_the_senders_of_the_samples() -> None:
    for name in ("local", "dev"):
        known = {s.name: (s.sending_application, s.sending_facility) for s in load(name).senders}
        assert known["northgen"] == ("ADTSYS", "NORTHGEN")
        assert known["aws-blog"] == ("test", "test")


@pytest.mark.parametrize("arguments", [(), ("nowhere", ".build/preflight/nowhere")])
def test_an_unknown_environment_is_one_clear_sentence(arguments: tuple[str, ...]) -> None:
    """For CDK, and for `make preflight`."""
    run = subprocess.run(
        [sys.executable, "-m", "infra.app", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CDK_CONTEXT_JSON": '{"env": "nowhere"}'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert run.stderr == (
        "hl7-ens: environments/nowhere.toml does not exist:"
        " choose one of dev, local, prod, staging (-c env=dev)\n"
    )


def test_who_deploys_is_told_what_is_still_a_placeholder() -> None:
    assert load("local").placeholders() == []
    gaps = " ".join(load("prod").placeholders())
    assert "mail.domain" in gaps
    assert "alarm_addresses" in gaps
    assert "senders" in gaps


def test_stacks_of_prod_cannot_be_deleted_by_mistake(prod: Stacks) -> None:
    environment = load("prod")
    assert environment.deletion_protection
    assert environment.retain


def test_an_outage_of_hours_does_not_fill_the_dead_letter_queue_of_prod() -> None:
    assert load("prod").max_receive_count == 40
    assert load("prod").unknown_patient == "end"
    assert load("local").unknown_patient == "dead_letter"


@pytest.mark.parametrize("minutes", [0, 40])
def test_an_unknown_patient_is_held_for_fewer_receives_than_the_queue_has(minutes: int) -> None:
    held = replace(load("prod"), unknown_patient="hold", hold_minutes=39)
    with pytest.raises(ValueError, match="hold_minutes"):
        replace(held, hold_minutes=minutes)


def test_tls_ends_in_one_place() -> None:
    with pytest.raises(ValueError, match="TLS ends"):
        ReceiverSection(certificate_arn="arn:a", tls_secret="arn:b")
