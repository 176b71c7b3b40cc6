"""A master patient index over HL7 v2: PIX Query, then PDQ by the id that it returned.

The patient and the demographics are the MPI's; `resolving` compares them with the message. PIX manager
and PDQ supplier may be two systems, each with its own address, MSH-5, MSH-6 and TLS.
"""

import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from lambdas.common.contracts.message.patient import Patient
from lambdas.common.errors import (
    ConfigurationError,
    DependencyUnavailableError,
    IdentityAmbiguousError,
)
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.lookup_identities.mpi import connection as wire
from lambdas.lookup_identities.mpi.circuit_breaker import Breaker
from lambdas.lookup_identities.mpi.connection import TRIES, Deadline, tls_context
from lambdas.lookup_identities.mpi.cross_references import cross_reference
from lambdas.lookup_identities.mpi.outcomes import OUR_DOMAIN, BrokenAnswerError, DomainUnknownError
from lambdas.lookup_identities.mpi.settings import (
    ActorSettings,
    MpiSecret,
    MpiSettings,
    MpiTlsMaterial,
)
from lambdas.lookup_identities.pix_pdq.mllp import MpiConnection, StaleConnectionError
from lambdas.lookup_identities.pix_pdq.queries import (
    AssigningAuthority,
    Heading,
    Parties,
    cancellation,
    pdq_query,
    pix_query,
)
from lambdas.lookup_identities.pix_pdq.replies import (
    MismatchError,
    PdqAnswer,
    PdqPatient,
    PixCase,
    check_acknowledged,
    pdq_answer,
    pix_answer,
)
from lambdas.registry.records import Match

MAX_PAGES = 3
"""Pages of a PDQ answer that are read. A patient among more is not one patient."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Actor:
    """The PIX manager or the PDQ supplier: the connection to it, and MSH-3 to MSH-6 of queries to it."""

    connection: MpiConnection
    parties: Parties


@dataclass(frozen=True, slots=True)
class PixPdqMpiClient:
    """An MPI over HL7 v2. Its circuit breaker stops questions after failures in a row."""

    pix: Actor
    pdq: Actor
    domain: AssigningAuthority
    breaker: Breaker

    def find(
        self,
        usable: Sequence[UsableIdentifier],
        patient: Patient,  # noqa: ARG002  # `MpiClient` has it: FHIR's $match needs it
    ) -> Match | None:
        """The patient whom the identifiers name in the MPI, with its demographics; None without a match.

        An authority that the MPI does not know is a warning where another identifier is known to it, and
        `DomainUnknownError` where none is. Raises `IdentityAmbiguousError`, `IdentityConflictError`,
        `ConfigurationError` and `DependencyUnavailableError`.
        """
        with self.breaker.guard():
            return self._find(usable, Deadline.after(wire.TOTAL_SECONDS))

    def close(self) -> None:
        """Closes the connections."""
        self.pix.connection.close()
        self.pdq.connection.close()

    def _find(self, usable: Sequence[UsableIdentifier], deadline: Deadline) -> Match | None:
        one = cross_reference(
            usable,
            lambda identifier: self.domain.is_same(AssigningAuthority.of(identifier.authorities)),
            lambda identifier: self._pix(identifier, deadline),
            lambda patient_id: self._current(patient_id, deadline),
        )
        if not one.patient_id:
            return None
        found = self._pdq(one.patient_id, deadline)
        if found is None and one.returned:
            raise BrokenAnswerError("PDQ does not know the id that PIX returned")
        if found is None:
            return None
        survivor = self._survivor(one.patient_id, found, deadline)
        merged = () if survivor == one.patient_id else (one.patient_id,)
        record = replace(found.record, patient_id=survivor)
        return Match(record, one.matched_on, (*one.merged, *merged), one.warnings)

    def _current(self, patient_id: str, deadline: Deadline) -> str:
        """The id of the patient into whom one was merged; the id itself where PDQ does not know it."""
        found = self._pdq(patient_id, deadline)
        return self._survivor(patient_id, found, deadline) if found else patient_id

    def _survivor(self, asked: str, found: PdqPatient, deadline: Deadline) -> str:
        """The id of the patient: the one asked for, or of the patient into whom it was merged.

        PDQ has no field for a merge, so that another id is asked for as well: it must be known.
        """
        if len(found.ids) != 1:
            raise IdentityAmbiguousError("PID-3: the MPI has several ids for the patient")
        survivor = found.ids[0]
        if survivor == asked:
            return survivor
        confirmed = self._pdq(survivor, deadline)
        if confirmed is None or confirmed.ids != found.ids:
            raise BrokenAnswerError("PDQ does not know the id that it returned for another one")
        return survivor

    def _pix(self, identifier: UsableIdentifier, deadline: Deadline) -> tuple[str, ...] | None:
        """The ids in our domain; () for an unknown identifier, None for an unknown authority."""
        authority = AssigningAuthority.of(identifier.authorities)
        answer = self._ask(
            self.pix,
            lambda heading: pix_query(heading, identifier.value, authority, self.domain),
            lambda raw, heading: pix_answer(raw, heading, self.domain),
            deadline,
        )
        if answer.case is PixCase.UNKNOWN_TARGET_DOMAIN:
            raise DomainUnknownError(OUR_DOMAIN)
        return None if answer.case is PixCase.UNKNOWN_SOURCE_DOMAIN else answer.ids

    def _pdq(self, patient_id: str, deadline: Deadline) -> PdqPatient | None:
        """The one patient with this id; pages are read until a second shows up, or there are too many.

        Further pages are declined, so that the supplier need not store them.
        """
        tag, pointer = _new_id(), ""
        patients: list[PdqPatient] = []
        for _ in range(MAX_PAGES):
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
            raise IdentityAmbiguousError("PID-3: the MPI knows several patients")
        if pointer:
            raise IdentityAmbiguousError(f"PID-3: the MPI answers in more than {MAX_PAGES} pages")
        return patients[0] if patients else None

    def _decline(self, tag: str, deadline: Deadline) -> None:
        """Tells the supplier that no further page is wanted. Its answer changes nothing."""
        heading = Heading(self.pdq.parties, _new_id(), tag)
        try:
            raw = self.pdq.connection.exchange(cancellation(heading), deadline)
            check_acknowledged(raw, heading.control_id)
        except (DependencyUnavailableError, MismatchError, StaleConnectionError):
            self.pdq.connection.close()

    def _page(self, tag: str, patient_id: str, pointer: str, deadline: Deadline) -> PdqAnswer:
        return self._ask(
            self.pdq,
            lambda heading: pdq_query(heading, patient_id, self.domain, pointer),
            lambda raw, heading: pdq_answer(raw, heading, self.domain),
            deadline,
            tag,
        )

    def _ask(
        self,
        actor: Actor,
        query: Callable[[Heading], bytes],
        read: Callable[[bytes, Heading], Answer],
        deadline: Deadline,
        tag: str = "",
    ) -> Answer:
        """The answer of an actor. A query without a usable answer is sent once more.

        Each one has its own MSH-10, the repeated ones too: a manager may refuse one that it has seen.
        """
        tag = tag or _new_id()
        for attempt in range(TRIES):
            try:
                raw, heading = _exchanged(actor, query, tag, deadline)
                return read(raw, heading)
            except MismatchError:
                actor.connection.close()
                failure: Exception = DependencyUnavailableError("the MPI answered another query")
            except (BrokenAnswerError, DependencyUnavailableError) as error:
                failure = error
            if attempt + 1 < TRIES:
                time.sleep(deadline.within(random.uniform(0.05, 0.25)))
        raise failure


def _exchanged(
    actor: Actor, query: Callable[[Heading], bytes], tag: str, deadline: Deadline
) -> tuple[bytes, Heading]:
    """The raw answer, and the heading of the query that it answers."""
    heading = Heading(actor.parties, _new_id(), tag)
    try:
        return actor.connection.exchange(query(heading), deadline), heading
    except StaleConnectionError:
        again = replace(heading, control_id=_new_id())
        return actor.connection.exchange(query(again), deadline), again


def pix_pdq_client(context: LookupContext) -> PixPdqMpiClient:
    """The MPI of the settings. Raises `ConfigurationError` where they are incomplete."""
    settings, secret = context.settings.mpi, context.mpi_secret
    domain = AssigningAuthority(settings.domain, settings.domain_oid)
    if not domain.text():
        raise ConfigurationError("ENS_MPI_SETTINGS lacks domain or domain_oid")
    pix = _actor(settings, settings.pix, secret, secret.pix)
    if settings.pdq == settings.pix and secret.pdq == secret.pix:
        return PixPdqMpiClient(pix, pix, domain, Breaker("the MPI"))
    pdq = _actor(settings, settings.pdq, secret, secret.pdq)
    return PixPdqMpiClient(pix, pdq, domain, Breaker("the MPI"))


def _actor(
    settings: MpiSettings, own: ActorSettings, secret: MpiSecret, own_tls: MpiTlsMaterial | None
) -> Actor:
    """An actor by its own settings, and for what these leave out by those of both."""
    host = settings.host if own.host is None else own.host
    port = settings.port if own.port is None else own.port
    if not host or not 0 < port < 65536:
        raise ConfigurationError(
            "ENS_MPI_SETTINGS lacks host or port, of the MPI or of pix and pdq"
        )
    tls = settings.tls if own.tls is None else own.tls
    application, facility = own.receiving_application, own.receiving_facility
    parties = Parties(
        settings.application,
        settings.facility,
        settings.receiving_application if application is None else application,
        settings.receiving_facility if facility is None else facility,
    )
    context = tls_context(own_tls or secret) if tls else None
    return Actor(MpiConnection(host, port, context), parties)


def _new_id() -> str:
    # MSH-10 holds 20 characters before HL7 2.7.
    return uuid.uuid4().hex[:20]
