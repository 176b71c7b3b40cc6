"""A TLS secret of another shape stops the start with a setting's name, and a renewal with a log line."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from receiver.settings import ReceiverSettings, SettingError
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics
from receiver.transport import tls
from receiver.transport.tls import Tls

SETTINGS = replace(
    ReceiverSettings(
        *("test", "vault", "queue", "key", "configuration", "configuration.json", "r1")
    ),
    tls_secret="tls",
)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"certificate": "PEM"},
        {"certificate": None, "key": "PEM"},
        {"certificate": "PEM", "key": "PEM", "client_ca": None},
        {"certificate": "PEM", "key": "PEM", "crl": ["PEM"]},
        {"certificate": "PEM", "key": "PEM", "client_ca": ""},
        {"certificate": "PEM", "key": "PEM"},
    ],
)
def test_a_secret_of_another_shape_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, document: Any
) -> None:
    monkeypatch.setattr(tls, "read_secret", lambda *_: json.dumps(document))
    log = Log(io.StringIO())
    with pytest.raises(SettingError, match="ENS_TLS_SECRET"):
        Tls(SETTINGS, Metrics("test", log), log).load()
