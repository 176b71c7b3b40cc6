"""A master patient index over HL7 v2: PIX Query, then PDQ by the id that it gave.

Both patient and demographics are the index's; `resolving` compares them with the message. An index that
is down is not asked by every event (`breaker`), and an answer to another query ends its connection.
"""

import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.patient import Patient
from lambdas.common.errors import (
    ConfigurationError,
    DependencyUnavailableError,
    IdentityAmbiguousError,
)
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier, one_patient
from lambdas.lookup_identities.mpi import connection as wire
from lambdas.lookup_identities.mpi.circuit_breaker import Breaker
from lambdas.lookup_identities.mpi.connection import TRIES, Deadline, tls_context
from lambdas.lookup_identities.mpi.outcomes import OUR_DOMAIN, DomainUnknownError
from lambdas.lookup_identities.pix_pdq.mllp import MpiConnection
from lambdas.lookup_identities.pix_pdq.queries import (
    AssigningAuthority,
    Parties,
    cancellation,
    pdq_query,
    pix_query,
)
from lambdas.lookup_identities.pix_pdq.replies import (
    MismatchError,
    PdqAnswer,
    PdqPatient,
    PixAnswer,
    check_acknowledged,
    pdq_answer,
    pix_answer,
)
from lambdas.lookup_identities.registry.records import Match

PAGES = 3
"""Pages of a PDQ answer that are read; whoever is still among more is not one patient."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class PixPdqMpiClient:
    """An MPI over HL7 v2. Its circuit breaker stops questions after failures in a row."""

    connection: MpiConnection
    parties: Parties
    breaker: Breaker

    def find(
        self,
        usable: Sequence[UsableIdentifier],
        patient: Patient,  # noqa: ARG002  # `MpiClient` has it: FHIR's $match needs it
    ) -> Match | None:
        """The patient whom the identifiers name in the index, with its demographics; None for nobody.

        An authority that the index does not know is a warning where another identifier is known to it, and
        `DomainUnknownError` where none is. Raises `IdentityAmbiguousError`, `IdentityConflictError`,
        `ConfigurationError` and `DependencyUnavailableError`.
        """
        with self.breaker.guard():
            return self._find(usable, Deadline.after(wire.TOTAL_SECONDS))

    def close(self) -> None:
        """Closes the connection."""
        self.connection.close()

    def _find(self, usable: Sequence[UsableIdentifier], deadline: Deadline) -> Match | None:
        candidates: dict[tuple[str, str], tuple[str, ...]] = {}
        foreign, known = [], False
        for identifier in usable:
            if self.parties.domain.is_same(AssigningAuthority.of(identifier.authorities)):
                # An answer never holds the id that was asked for: of our own domain there is none.
                known = True
                candidates[identifier.pairs()[0]] = (identifier.value,)
                continue
            answer = self._pix(identifier, deadline)
            if answer.case == "unknown_target_domain":
                raise DomainUnknownError(OUR_DOMAIN)
            if answer.case == "unknown_source_domain":
                foreign.append(identifier.position)
            else:
                known = True
                candidates[identifier.pairs()[0]] = answer.ids
        if foreign and not known:
            raise DomainUnknownError(", ".join(foreign))
        warnings = tuple(MessageWarning(WarningCode.AUTHORITY_UNKNOWN, place) for place in foreign)
        patient_id, matched_on = one_patient(usable, candidates)
        if not patient_id:
            return None
        found = self._pdq(patient_id, deadline)
        if found is None:
            return None
        merged = () if patient_id in found.ids else (patient_id,)
        if len(found.ids) != 1:
            raise IdentityAmbiguousError("PID-3: the index has several ids for the patient")
        record = replace(found.record, patient_id=found.ids[0])
        return Match(record, tuple(matched_on), merged, warnings)

    def _pix(self, identifier: UsableIdentifier, deadline: Deadline) -> PixAnswer:
        parties, domain = self.parties, AssigningAuthority.of(identifier.authorities)
        return self._ask(
            lambda control_id, tag: pix_query(parties, control_id, tag, identifier.value, domain),
            lambda raw, control_id, tag: pix_answer(raw, control_id, tag, parties.domain),
            deadline,
        )

    def _pdq(self, patient_id: str, deadline: Deadline) -> PdqPatient | None:
        """The one patient with this id; pages are read until a second shows up, or there are too many.

        What the index still holds back then is declined, so that it need not keep it.
        """
        tag, pointer = _new_id(), ""
        patients: list[PdqPatient] = []
        for _ in range(PAGES):
            page = self._page(tag, patient_id, pointer, deadline)
            if not page.domain_known:
                raise DomainUnknownError(OUR_DOMAIN)
            patients += page.patients
            pointer = page.pointer
            if len(patients) > 1 or not pointer:
                break
        if pointer:
            self._decline(tag, deadline)
        if len(patients) > 1:
            raise IdentityAmbiguousError("PID-3: the index knows several patients")
        if pointer:
            raise IdentityAmbiguousError(f"PID-3: the index answers in more than {PAGES} pages")
        return patients[0] if patients and patients[0].ids else None

    def _decline(self, tag: str, deadline: Deadline) -> None:
        """Tells the MPI that no further page is wanted. A failure of this message changes nothing."""
        control_id = _new_id()
        try:
            raw = self.connection.exchange(cancellation(self.parties, control_id, tag), deadline)
            check_acknowledged(raw, control_id)
        except (DependencyUnavailableError, MismatchError):
            self.connection.close()

    def _page(self, tag: str, patient_id: str, pointer: str, deadline: Deadline) -> PdqAnswer:
        return self._ask(
            lambda control_id, own: pdq_query(self.parties, control_id, own, patient_id, pointer),
            lambda raw, control_id, own: pdq_answer(raw, control_id, own, self.parties.domain),
            deadline,
            tag,
        )

    def _ask(
        self,
        query: Callable[[str, str], bytes],
        read: Callable[[bytes, str, str], Answer],
        deadline: Deadline,
        tag: str = "",
    ) -> Answer:
        """The MPI's answer. A query that it could not answer is sent once more, with another MSH-10."""
        tag = tag or _new_id()
        for attempt in range(TRIES):
            control_id = _new_id()
            try:
                raw = self.connection.exchange(query(control_id, tag), deadline)
                return read(raw, control_id, tag)
            except MismatchError:
                self.connection.close()
                failure = DependencyUnavailableError("the index answered another query")
            except DependencyUnavailableError as error:
                failure = error
            if attempt + 1 < TRIES:
                time.sleep(deadline.within(random.uniform(0.05, 0.25)))
        raise failure


def from_context(context: LookupContext) -> PixPdqMpiClient:
    """The MPI of the settings. Raises `ConfigurationError` where they are incomplete."""
    settings = context.settings.mpi
    try:
        host, port = settings["host"], int(settings["port"])
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError("ENS_MPI_SETTINGS lacks host or port") from None
    tls = tls_context(context.mpi_secret) if settings.get("tls") else None
    parties = Parties.from_settings(settings)
    return PixPdqMpiClient(MpiConnection(host, port, tls), parties, Breaker("the index"))


def _new_id() -> str:
    # MSH-10 holds 20 characters before HL7 2.7.
    return uuid.uuid4().hex[:20]
