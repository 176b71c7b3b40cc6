"""Real executions on moto: the state machine's file, the real handlers, the samples' messages."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import pytest

from lambdas.registry.importing.plan import items_of_folder
from tests.conftest import bind_environment, mocked_aws
from tests.support.comprehend_medical import serving
from tests.support.messages import sample, vaulted
from tests.support.registry import SEEDS, file_all
from tests.support.workflow import DeployedWorkflow
from tests.workflow.real import whole_workflow

THREE_TOLD = "three recipients"
CASES = {
    THREE_TOLD: "two_recipients",
    "one recipient": "admission",
    "nobody is a recipient": "no_recipient",
    "tells nobody (bed move)": "bed_move",
    "dead letter": "not_hl7",
}
"""The measured cases, and the sample of each."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution that ended: its status and its history."""

    status: str
    history: list[dict[str, Any]]


def add_third_recipient() -> None:
    """Gives the patient of the sample `two_recipients` one more provider of the registry's seeds."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(SEEDS, folder, dirs_exist_ok=True)
        with (folder / "relationships.csv").open("a") as file:
            file.write("p-rehak,dr-smith,care_team,yes\n")
        file_all(items_of_folder(folder))


def executed(workflow: DeployedWorkflow, name: str) -> Execution:
    """Runs the sample of this name through the workflow."""
    execution = workflow.run(
        workflow.send(vaulted(sample(name)), group_id=f"k1.{uuid.uuid4().hex}")
    )
    events = boto3.client("stepfunctions").get_execution_history(
        executionArn=execution["executionArn"], maxResults=1000
    )["events"]
    return Execution(execution["status"], list(events))


@contextmanager
def workflow_on_moto() -> Iterator[DeployedWorkflow]:
    """The workflow with its real handlers, and three recipients for the sample.

    Binds this process's environment variables to moto while the block runs.
    """
    with serving() as address, pytest.MonkeyPatch.context() as monkeypatch:
        bind_environment(monkeypatch)
        monkeypatch.setenv("AWS_ENDPOINT_URL_COMPREHENDMEDICAL", address)
        with mocked_aws(monkeypatch):
            workflow = whole_workflow()
            add_third_recipient()
            yield workflow
