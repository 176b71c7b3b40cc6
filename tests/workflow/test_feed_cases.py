"""Messages as hospital systems send them, through receiver and steps: read right, or said aloud.

The cases are read from `../shared/cases/feeds` beside the checkout. Without that folder the test is
skipped; each kind of fault has tests of its own in tests/unit/hl7 and tests/unit/lambdas/parse_message.
"""

import json
from collections.abc import Iterator

import boto3
import pytest

from environments.loader import load
from lambdas.common.aws.items import to_item
from lambdas.lookup_identities.registry.items import items_of_folder
from tests.conftest import ENVIRONMENT, mocked_aws
from tests.support import configuration
from tests.support.deployment import deployed
from tests.support.feed_cases import FOLDER, Case, cases
from tests.support.feed_system import FeedSystem
from tests.workflow.real import SEEDS, functions, stand_in

CASES = cases()


@pytest.fixture(scope="module")
def system() -> Iterator[FeedSystem]:
    """One deployment for all cases: each case has visit numbers and control ids of its own."""
    with pytest.MonkeyPatch.context() as patch, stand_in() as comprehend_medical:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL_COMPREHENDMEDICAL", comprehend_medical)
        with mocked_aws(patch):
            for item in items_of_folder(SEEDS):
                boto3.client("dynamodb").put_item(TableName="registry", Item=to_item(item))
            document = json.loads(load("local").configuration())
            for sender in document["senders"]:
                # The cases name patients of another sender's authority too.
                sender.setdefault("assigning_authorities", []).append("aa")
            configuration.deploy(json.dumps(document), patch)
            yield FeedSystem(deployed(boto3), json.dumps(document), functions())


@pytest.mark.skipif(not CASES, reason=f"no cases at {FOLDER}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_feed_case_is_read_right_or_said_aloud(system: FeedSystem, case: Case) -> None:
    assert case.faults(system.run(case)) == []
