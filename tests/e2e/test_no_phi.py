"""Patient data is in the vault and the registry and nowhere else, in good events and in failing ones."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from local.stack import synth
from tests.support.local_system import ROOT, LocalSystem, wait_for
from tests.support.messages import SAMPLES, of_another_stay, with_pdf
from tests.support.private import found_in, private_values

MESSAGES = {path.stem: path.read_bytes() for path in sorted(SAMPLES.glob("*.hl7"))}
PRIVATE = set().union(*map(private_values, MESSAGES.values()))

# What an unplanned exception looks like at its worst: its text is the patient.
FAULTY_LINE = """
    raise ValueError(f"cannot resolve {event.patient.name.family} {event.patient.identifiers}")
"""


HANDLER = Path("lambdas", "lookup_identities", "handler.py")
HANDLER_LINE = (
    "    event = read_document(context, run.event_id, PatientEvent, task.parsed.version_id)\n"
)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A local system whose LookupIdentities ends in a ValueError that holds the patient's name."""
    root = tmp_path_factory.mktemp("checkout")
    left_out = shutil.ignore_patterns(".*", "node_modules", "cdk.out", "tests", "docs", "bench")
    shutil.copytree(ROOT, root, dirs_exist_ok=True, ignore=left_out)
    make_faulty(root / HANDLER)
    deploy_faulty(root)
    system = LocalSystem(tmp_path_factory.mktemp("faulty"), "--no-sample", root=root)
    try:
        system.wait_until_ready()
        yield system
    finally:
        system.stop()


def make_faulty(handler: Path) -> None:
    """Adds `FAULTY_LINE` to the handler, whose bytecode, which Python would not check, is removed."""
    text = handler.read_text("utf-8")
    assert HANDLER_LINE in text
    handler.write_text(text.replace(HANDLER_LINE, HANDLER_LINE + FAULTY_LINE), "utf-8")
    shutil.rmtree(handler.parent / "__pycache__", ignore_errors=True)


def deploy_faulty(root: Path) -> None:
    """Gives the checkout our cloud assembly, its handler changed: a synthesis takes 20 s.

    The bytecode of its functions comes with it: to compile them takes another 10 s.
    """
    ours = synth.found() or synth.make()
    with patch.object(synth, "ROOT", root):
        theirs = Path(".build", "local", synth.key(synth.INPUTS))
    shutil.copytree(ours, root / theirs)
    (handler,) = (root / theirs).glob(f"asset.*/{HANDLER}")
    make_faulty(handler)
    runtime = Path(".build", "lambda-runtime")
    for source, target in ((ours.relative_to(ROOT), theirs), (runtime, runtime)):
        compiled = bytecode(ROOT) / source
        if compiled.is_dir():
            shutil.copytree(compiled, bytecode(root) / target)


def bytecode(root: Path) -> Path:
    """The folder in which the local system of a checkout keeps its functions' bytecode."""
    return root / ".build" / "bytecode" / root.relative_to("/")


def everything_outside_vault_and_registry(system: LocalSystem) -> dict[str, str]:
    """All texts that a part of the system leaves behind, by where they lie."""
    return {
        "logs and metrics": system.logs(),
        "object keys and metadata": text_of(objects(system)),
        "queue messages": text_of(
            [messages(system, q) for q in ("QueueUrl", "DeadLetterQueueUrl")]
        ),
        "executions": text_of(executions(system)),
        "audit": text_of(without_control_ids(scan(system, "AuditTable"))),
        "status": text_of(scan(system, "StatusTable")),
        "ledger": text_of(scan(system, "LedgerTable")),
    }


def text_of(documents: Any) -> str:
    return json.dumps(documents, ensure_ascii=False, default=str)


def objects(system: LocalSystem) -> list[Any]:
    s3, bucket = system.client("s3"), system.stack_output("VaultBucket")
    keys = [item["Key"] for item in s3.list_object_versions(Bucket=bucket)["Versions"]]
    return [keys, [s3.head_object(Bucket=bucket, Key=key)["Metadata"] for key in set(keys)]]


def messages(system: LocalSystem, queue: str) -> list[Any]:
    answer = system.client("sqs").receive_message(
        QueueUrl=system.stack_output(queue),
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))


def executions(system: LocalSystem) -> list[Any]:
    workflow, machine = system.client("stepfunctions"), system.stack_output("StateMachineArn")
    arns = [
        execution["executionArn"]
        for page in workflow.get_paginator("list_executions").paginate(stateMachineArn=machine)
        for execution in page["executions"]
    ]
    return [
        [
            workflow.describe_execution(executionArn=arn),
            workflow.get_execution_history(executionArn=arn)["events"],
        ]
        for arn in arns
    ]


def scan(system: LocalSystem, table: str) -> list[Any]:
    pages = system.client("dynamodb").get_paginator("scan")
    return [
        item
        for page in pages.paginate(TableName=system.stack_output(table))
        for item in page["Items"]
    ]


def without_control_ids(entries: list[Any]) -> list[Any]:
    """The one exception of the design: the audit knows the sender's MSH-10, in a place of its own."""
    return [
        {name: value for name, value in entry.items() if name != "message_control_id"}
        for entry in entries
    ]


def test_no_value_of_any_sample_shows_outside_vault_and_registry(system: LocalSystem) -> None:
    assert {"Okafor", "OKAFOR", "H00412", "H00412-0001", "19580214"} <= PRIVATE
    for name, message in MESSAGES.items():
        acknowledgement = system.send(message)
        assert acknowledgement.code in ("AA", "AE", "AR"), name
        if acknowledgement.accepted:
            system.ended(system.event_id(message))
    system.process_message(of_another_stay(with_pdf(), b"NG-PDF"))

    found = {
        place: found_in(text, PRIVATE)
        for place, text in everything_outside_vault_and_registry(system).items()
    }
    assert not any(found.values()), found


def test_an_exception_with_a_name_in_its_text_shows_its_place_and_not_its_text(
    faulty: LocalSystem,
) -> None:
    message = MESSAGES["phi_in_ids"]
    event = faulty.process_message(message)
    wait_for(lambda: faulty.waiting("QueueUrl") == 1, "the message back on its queue")

    assert event["status"] == "FAILED"
    assert event["error_name"] == "UnexpectedError"
    places = everything_outside_vault_and_registry(faulty)
    assert "ValueError at lambdas/lookup_identities/handler.py:" in places["executions"]
    assert "ValueError at lambdas/lookup_identities/handler.py:" in places["logs and metrics"]
    found = {place: found_in(text, private_values(message)) for place, text in places.items()}
    assert not any(found.values()), found
