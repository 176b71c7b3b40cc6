"""Which index the local system brings along."""

import json
from contextlib import ExitStack

import pytest

from local import mdm
from local.registry import FOLDER


@pytest.mark.parametrize("name", ["", "registry"])
def test_the_registry_needs_no_index(name: str) -> None:
    with ExitStack() as running:
        assert mdm.start(name, FOLDER, running) == {}


@pytest.mark.parametrize(("name", "providers"), [("pixpdq", "registry"), ("fhir", "fhir")])
def test_an_index_is_started_and_the_step_told_where_it_is(name: str, providers: str) -> None:
    with ExitStack() as running:
        told = mdm.start(name, FOLDER, running)
        assert (told["ENS_MDM_BACKEND"], told["ENS_PROVIDER_BACKEND"]) == (name, providers)
        assert json.loads(told["ENS_MDM_SETTINGS"])["domain"]


def test_a_name_that_is_no_index_is_said_to_be_none() -> None:
    with ExitStack() as running, pytest.raises(mdm.MdmError, match="registry, pixpdq or fhir"):
        mdm.start("telepathy", FOLDER, running)
