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
    ("document", "named"),
    [
        ([], "`certificate`"),
        ({}, "`certificate`"),
        ({"certificate": "PEM"}, "`key`"),
        ({"certificate": None, "key": "PEM"}, "`certificate`"),
        ({"certificate": "PEM", "key": "PEM", "client_ca": None}, "`client_ca`"),
        ({"certificate": "PEM", "key": "PEM", "crl": ["PEM"]}, "`crl`"),
        ({"certificate": "PEM", "key": "PEM", "client_ca": ""}, "client authorities"),
        ({"certificate": "PEM", "key": "PEM"}, "its key"),
    ],
)
def test_a_secret_of_another_shape_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, document: Any, named: str
) -> None:
    monkeypatch.setattr(tls, "read_secret", lambda *_: json.dumps(document))
    log = Log(io.StringIO())
    with pytest.raises(SettingError, match=f"ENS_TLS_SECRET.*{named}"):
        Tls(SETTINGS, Metrics("test", log), log).load()
