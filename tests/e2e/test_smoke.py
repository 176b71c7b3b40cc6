"""`ens smoke` against the whole local system, whose mailbox reports as SES does."""

import re

from ops.smoke.patient import ADDRESS
from tests.support.local_system import LocalSystem


def test_the_smoke_test_passes_and_leaves_registry_and_dead_letters_as_they_were(
    system: LocalSystem,
) -> None:
    waiting = system.waiting("DeadLetterQueueUrl")
    output = system.ens("smoke", "--wait", "60")
    assert output.count("  as expected") == 3
    assert "SES events: delivered" in output
    good = re.findall("event     ([0-9a-f]{32})", output)[0]
    (mail,) = system.mails(good)
    assert ADDRESS in str(mail["to"])
    items = system.client("dynamodb").scan(TableName=system.stack_output("RegistryTable"))["Items"]
    assert not [i for i in items if "ens-smoke" in i["pk"]["S"].lower()]
    assert system.waiting("DeadLetterQueueUrl") == waiting
