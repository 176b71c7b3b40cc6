"""Environment and sender files with every key set, written where a test can change them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from environments import EnvironmentFileError, load

SENDER: dict[str, Any] = {
    "sending_application": "ADT",
    "sending_facility": "WEST",
    "networks": ["10.20.0.0/16"],
    "certificates": [
        {
            "issuer": {"CN": "West CA", "DC": ["west", "hospital"]},
            "subject": {"CN": "adt"},
            "dns_name": "adt.west.hospital",
        }
    ],
    "trigger_events": ["A01", "A03"],
    "default_assigning_authority": "WEST",
    "assigning_authorities": ["2.16.840.1.113883.3.9999.20"],
    "identifier_alone": True,
    "time_zone": "America/Halifax",
    "date_order": "dmy",
    "display_name": "West Hospital",
    "phone": "+1 902 555 0100",
    "test_patient_names": ["ZZ", "XTEST"],
    "test_patient_identifiers": ["T999"],
    "patient_classes": {"ZQ": "I"},
    "admission_types": {"WALKIN": "E"},
    "sexes": {"2": "F"},
    "dispositions": {"72": {"text": "Died in facility", "death": True}},
    "units": {"4W": "Cardiology"},
    "facilities": {"ANNEX": "WEST"},
    "facility_names": {"WEST": "West County General"},
    "encounters": {
        "load": True,
        "emergency_units": ["ED"],
        "observation_units": ["CDU"],
        "effects": {"A04": "update"},
        "stale_after_days": {"death": 365},
        "settle_seconds": {"admission": 90},
        "close_after_days": {"emergency": 2},
    },
    "jurisdiction": "US-NY",
    "not_vip_codes": ["STAFF"],
    "sensitive_units": {"substance_use": ["SUDU"]},
    "sensitive_services": {"mental_health": ["PSY"]},
    "sensitive_diagnoses": {"hiv": ["86406008"]},
    "sample": False,
}

POLICY: dict[str, Any] = {
    "title": "West",
    "version": "2026-11-26",
    "example": False,
    "otherwise": "tell",
    "hidden_findings": ["substance_use"],
    "rules": [
        {
            "id": "part2",
            "summary": "A stay in a unit under Part 2 is not told.",
            "source": "42 CFR 2.31",
            "then": "suppress",
            "reason": "PART2_NO_CONSENT",
            "lifted_by": ["substance_use"],
            "notices": ["part2_redisclosure"],
            "when": {
                "flags": ["PV1-16"],
                "sensitivities": ["substance_use"],
                "bases": ["unit"],
                "age_from": 12,
                "age_below": 18,
                "jurisdictions": ["US-NY"],
                "relationships": ["primary_care"],
                "recipient_kinds": ["person"],
                "event_kinds": ["admission"],
            },
        },
        {
            "id": "confidential",
            "summary": "A confidential diagnosis is left out.",
            "source": "45 CFR 164.522(a)",
            "then": "tell_reduced",
            "leave_out": ["diagnosis"],
            "when": {"flags": ["DG1-18"]},
        },
    ],
}

ENVIRONMENT: dict[str, Any] = {
    "account": "210987654321",
    "region": "ca-central-1",
    "target": "lambda",
    "senders": ["west", "smoke"],
    "policies": ["west"],
    "unknown_patient": "hold",
    "hold_minutes": 3,
    "mpi_client": "pixpdq",
    "cost_mode": "coded",
    "comprehend_rate": 10,
    "comprehend_characters": 20000,
    "findings_wait_seconds": 60,
    "text_limit": 20000,
    "document_bytes": 100000,
    "max_receive_count": 40,
    "extract_concurrency": 5,
    "log_execution_data": True,
    "data_trail": True,
    "audit": {"seal_keys": 2, "digest_lock": "compliance", "digest_days": 3031},
    "people": {
        role: ["arn:aws:iam::210987654321:role/care/*"]
        for role in ("operators", "auditors", "registrars", "break_glass")
    },
    "alarm_addresses": ["operators@west.hospital"],
    "alarm_topics": ["arn:aws:sns:ca-central-1:210987654321:on-call"],
    "retain": True,
    "deletion_protection": True,
    "retention": {
        "vault_days": 365,
        "recovery_days": 14,
        "rejected_days": 90,
        "analyses_days": 3,
        "encounters_days": 500,
        "ledger_days": 600,
        "status_days": 60,
        "audit_days": 3000,
        "trail_days": 2500,
        "logs_days": 90,
        "feedback_days": 7,
        "configuration_days": 30,
    },
    "backup": {
        "days": 30,
        "copy_to": ["arn:aws:backup:ca-west-1:210987654321:backup-vault:copies"],
    },
    "network": {
        "cidr": "172.20.9.0/24",
        "availability_zones": ["cac1-az1", "cac1-az2"],
        "functions_inside": False,
        "prefix_lists": ["pl-63a5400a"],
        "sender_networks": ["10.0.0.0/8"],
        "customer_gateways": [
            {"name": "west", "ip": "8.8.4.4", "asn": 65010, "networks": ["10.20.0.0/16"]}
        ],
    },
    "receiver": {
        "desired": 2,
        "maximum": 4,
        "certificate_arn": "",
        "tls_secret": "arn:aws:secretsmanager:ca-central-1:210987654321:secret:tls-AbCdEf",
        "server_name": "ens.west.hospital",
        "smoke_secret": "arn:aws:secretsmanager:ca-central-1:210987654321:secret:smoke-AbCdEf",
        "plain_text_because": "",
        "unknown_senders": "reject",
        "processing_ids": ["P"],
    },
    "mail": {
        "domain": "ens.west.hospital",
        "from_address": "notifications@ens.west.hospital",
        "create": True,
        "rate": 14,
        "on_unknown": "resend_once",
        "full_in_clear": "forbidden",
        "sandbox_recipients": ["dr.lind@west.hospital"],
        "smime_secret": "arn:aws:secretsmanager:ca-central-1:210987654321:secret:smime-AbCdEf",
        "smime_secret_key_arn": "arn:aws:kms:ca-central-1:210987654321:key/1",
    },
    "mpi": {
        "settings": {"host": "mpi.west.hospital", "port": 3600},
        "providers": "fhir",
        "secret_arn": "arn:aws:secretsmanager:ca-central-1:210987654321:secret:mpi-AbCdEf",
        "secret_key_arn": "arn:aws:kms:ca-central-1:210987654321:key/2",
        "networks": ["10.20.0.0/16"],
        "port": 3600,
    },
}

SMOKE = {
    "sending_application": "ENS-SMOKE",
    "sending_facility": "{environment}",
    "networks": ["{vpc}"],
}
WHOLE = {"environment": ENVIRONMENT, "sender": SENDER, "policy": POLICY}
Path_ = tuple[str | int, ...]
"""The keys that lead to a value: `("network", "availability_zones", 0)`."""


def write(
    folder: Path,
    environment: dict[str, Any],
    policy: dict[str, Any] = POLICY,
    **senders: dict[str, Any],
) -> Path:
    """Writes the files of an environment `west` and returns their folder."""
    (folder / "senders").mkdir(exist_ok=True)
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "west.toml").write_text(document(policy))
    (folder / "west.toml").write_text(document(environment))
    for name, content in senders.items():
        (folder / "senders" / f"{name}.toml").write_text(document(content))
    return folder


def changed(table: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    """A copy of a document with one value replaced."""
    copied = copy.deepcopy(table)
    place: Any = copied
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return copied


def refusal(folder: Path, kind: str, content: dict[str, Any]) -> str:
    """The error's text for an environment, or for its sender, with this content."""
    files = {**WHOLE, kind: content}
    write(folder, files["environment"], files["policy"], west=files["sender"], smoke=SMOKE)
    load.cache_clear()
    with pytest.raises(EnvironmentFileError) as refused:
        load("west", folder)
    return str(refused.value)


def document(table: dict[str, Any]) -> str:
    """A TOML document of a table, whose inner tables are inline."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    match value:
        case dict():
            inner = ", ".join(f"{key} = {_value(part)}" for key, part in value.items())
            return f"{{ {inner} }}"
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            return json.dumps(value)
