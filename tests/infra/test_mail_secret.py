"""Our S/MIME key lies in a secret of its own: one function may read it, and open the key it lies under."""

from dataclasses import replace

import pytest

from environments import load
from tests.infra.assemblies import stacks_of
from tests.infra.template import Template

SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:smime-AbCdEf"
KEY = "arn:aws:kms:us-east-1:111122223333:key/2"


def core_with(secret: str, key: str) -> Template:
    """The core stack of a development environment that signs with this secret."""
    dev = load("dev")
    mail = replace(dev.mail, smime_secret=secret, smime_secret_key_arn=key)
    return stacks_of(replace(dev, account="111122223333", mail=mail))["core"]


def readers(core: Template, resource: str) -> set[str]:
    """The roles with a statement on exactly this resource."""
    return {
        role
        for role in core.of_type("AWS::IAM::Role")
        if any(resource in statement.resources for statement in core.statements(role))
    }


@pytest.fixture(scope="module")
def core() -> Template:
    """One with a secret under a key of the account's own."""
    return core_with(SECRET, KEY)


def test_only_the_delivering_function_reads_the_secret_and_uses_its_key(core: Template) -> None:
    deliver = core.id_of("DeliverNotificationRole")
    assert readers(core, SECRET) == readers(core, KEY) == {deliver}
    [decrypt] = [s for s in core.statements(deliver) if KEY in s.resources]
    assert list(decrypt.actions) == ["kms:Decrypt"]
    assert "kms:ViaService" in str(decrypt.conditions)
    assert "secretsmanager." in str(decrypt.conditions)
    assert core.allowed(deliver, "secretsmanager:GetSecretValue", SECRET)


def test_the_function_is_told_which_secret(core: Template) -> None:
    told = core.properties("DeliverNotification")["Environment"]["Variables"]
    assert told["ENS_SMIME_SECRET"] == SECRET


def test_under_aws_own_key_the_secret_needs_no_more() -> None:
    core = core_with(SECRET, "")
    assert readers(core, SECRET) == {core.id_of("DeliverNotificationRole")}
    assert readers(core, KEY) == set()
