"""Settings from the environment, and the errors that name what is missing."""

import pytest

from receiver.settings import SettingError, read_settings

REQUIRED = {
    "ENS_ENVIRONMENT": "test",
    "ENS_VAULT_BUCKET": "vault",
    "ENS_QUEUE_URL": "https://queue",
    "ENS_REFERENCE_KEY_SECRET": "secret",
    "ENS_CONFIGURATION_BUCKET": "configuration",
    "ENS_CONFIGURATION_KEY": "configuration.json",
}


def test_what_is_not_set_has_its_default() -> None:
    settings = read_settings(REQUIRED)
    assert (settings.mllp_port, settings.health_port) == (17000, 17001)
    assert settings.max_message_bytes == 2 * 1024 * 1024


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingError, match=f"^{name} is not set$"):
        read_settings({**REQUIRED, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENS_MLLP_PORT", "http"),
        ("ENS_MAX_CONNECTIONS", "0"),
        ("ENS_IDLE_SECONDS", "0"),
        ("ENS_STORE_SECONDS", "nan"),
        ("ENS_FRAME_SECONDS", "inf"),
        ("ENS_CONFIGURATION_SECONDS", "0"),
    ],
)
def test_an_error_about_a_wrong_value_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        read_settings({**REQUIRED, name: value})


def test_the_receiver_is_named_after_its_ecs_task() -> None:
    address = "http://169.254.170.2/v4/0123456789abcdef-987"
    assert read_settings({**REQUIRED, "ECS_CONTAINER_METADATA_URI_V4": address}).receiver_id == (
        "0123456789abcdef"
    )
    assert read_settings({**REQUIRED, "ENS_RECEIVER_ID": "r1"}).receiver_id == "r1"
    assert read_settings(REQUIRED).receiver_id
