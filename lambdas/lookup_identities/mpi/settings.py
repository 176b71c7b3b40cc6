"""The settings of the external MPI and provider directory, and the keys and certificates for them."""

import json
from dataclasses import dataclass, field, fields
from typing import Literal, TypeVar

import msgspec

from lambdas.common.contracts.document import private
from lambdas.common.errors import ConfigurationError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorSettings:
    """The PIX manager or the PDQ supplier: its address, MSH-5 and MSH-6. None: as the other actor has it."""

    host: str | None = None
    port: int | None = None
    tls: bool | None = None
    receiving_application: str | None = None
    receiving_facility: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MpiSettings:
    """The members of ENS_MPI_SETTINGS; docs/identity.md describes them.

    HL7 v2: `application` and `facility` are our MSH-3 and MSH-4. `pix` and `pdq` set for one actor what
    `host` to `receiving_facility` set for both. FHIR: `systems` maps assigning authorities to systems.
    `domain` is the domain of the registry's patient ids: a namespace, with `domain_oid`, or a system.
    """

    domain: str = ""
    domain_oid: str = ""
    host: str = ""
    port: int = 0
    tls: bool = False
    application: str = "HL7ENS"
    facility: str = "HL7ENS"
    receiving_application: str = "MPI"
    receiving_facility: str = "MPI"
    pix: ActorSettings = ActorSettings()
    pdq: ActorSettings = ActorSettings()
    base_url: str = ""
    systems: dict[str, str] = field(default_factory=dict)
    patients: Literal["pixm", "match"] = "pixm"
    search: Literal["post", "get"] = "post"
    token_url: str = ""
    scope: str = "system/*.read"


@dataclass(frozen=True, slots=True, kw_only=True)
class MpiTlsMaterial:
    """Certificates for TLS, in PEM, each "" where there is none: trusted `ca`, own `certificate` and `key`."""

    ca: str = ""
    certificate: str = ""
    key: str = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class MpiSecret(MpiTlsMaterial):
    """The secret of ENS_MPI_SECRET. `pix` and `pdq` replace the certificates for one actor.

    `client_id`, `private_key` (PEM) and `key_id` are for OAuth2.
    """

    pix: MpiTlsMaterial | None = None
    pdq: MpiTlsMaterial | None = None
    client_id: str = ""
    private_key: str = private()
    key_id: str = ""


def read_settings(text: str) -> MpiSettings:
    """The settings in a JSON text. Raises `ConfigurationError` with the member that is unknown or wrong."""
    return _read(text, MpiSettings, "ENS_MPI_SETTINGS")


def read_secret(text: str) -> MpiSecret:
    """The secret in a JSON text. Raises `ConfigurationError` with the member that is unknown or wrong."""
    return _read(text, MpiSecret, "the secret of ENS_MPI_SECRET")


def _read(text: str, kind: type[T], name: str) -> T:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{name} is not a JSON object")
    _check_names(document, kind, name)
    for actor in ("pix", "pdq"):
        if isinstance(document.get(actor), dict):
            _check_names(document[actor], OF_ACTOR[kind], f"{name}: {actor}")
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        # The text may hold a value of the secret; only the place is told.
        place = str(error).rpartition("`$.")[2].rstrip("`")
        raise ConfigurationError(f"{name}: {place or 'a member'} is not of its type") from None


OF_ACTOR: dict[type, type] = {MpiSettings: ActorSettings, MpiSecret: MpiTlsMaterial}


def _check_names(document: dict[str, object], kind: type, name: str) -> None:
    known = [one.name for one in fields(kind)]
    if unknown := sorted(set(document) - set(known)):
        raise ConfigurationError(
            f"{name}: {', '.join(unknown)} unknown; allowed: {', '.join(known)}"
        )
