"""The console page and its JSON API: events with their steps, accepted mails, dead letters.

For the local system: it shows notifications, which hold patient data. It answers to loopback host
names only, and its pages run only its own scripts.
"""

from typing import Any, Protocol, TypeVar

from flask import Flask, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from lambdas.common.contracts.audit import LookedAt
from local.console.views import bars, code_spans, when
from ops.encounters.stays import StayTimeline
from ops.events.trail import EventSummary, EventTrail
from ops.output import count, duration, sentence_case, words
from ops.problem import FAILURES, sentence
from ops.queues.dead_letters import DeadLetters

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
DEFAULT_LIMIT, MAX_LIMIT = 50, 500
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'self'"
)

Mail = dict[str, Any]
Thing = TypeVar("Thing")


class Trails(Protocol):
    """The source of events: `ops.events.trail.TrailSource`."""

    def recent(self, limit: int) -> list[EventSummary]:
        """Returns events, newest first."""

    def event(self, event_id: str) -> EventTrail | None:
        """Returns one event, None when it does not exist."""

    def dead_letters(self) -> DeadLetters:
        """Returns the failed events and the number of messages on the dead-letter queue."""


class Stays(Protocol):
    """The source of stays: `ops.encounters.stays.StaySource`."""

    def timeline(self, event_id: str) -> StayTimeline | None:
        """Returns the stay of an event, None for an event that belongs to no stay."""


class MailSource(Protocol):
    """The source of mails: those that the local SES has accepted."""

    def list(self) -> list[Mail]:
        """Returns to, subject, event_id, sent_at and mail_id of each mail, newest first."""

    def get(self, mail_id: str) -> Mail | None:
        """Returns one mail, also with headers, text, html and raw; None when it does not exist."""


class Looks(Protocol):
    """The record of looks: `local.console.looks.ConsoleLooks`."""

    def record(self, looked_at: LookedAt, looked_at_id: str) -> None:
        """Writes the audit entry of a look. Raises one of `FAILURES` if it cannot be written."""


def create_app(trails: Trails, mailbox: MailSource, stays: Stays, looks: Looks) -> Flask:
    """Returns the console as a WSGI application. A mail or a stay is shown after its audit entry."""
    app = Flask(__name__)
    app.jinja_env.filters.update(
        words=words,
        sentence_case=sentence_case,
        counted=count,
        duration=duration,
        when=when,
        code_spans=code_spans,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(_only_loopback_names)
    app.after_request(_guard)
    app.register_error_handler(HTTPException, _refused)
    for failure in FAILURES:
        app.register_error_handler(failure, _unavailable)
    _add_events(app, trails, mailbox)
    _add_mails(app, mailbox, looks)
    _add_stays(app, stays, looks)
    return app


def _add_events(app: Flask, trails: Trails, mailbox: MailSource) -> None:
    @app.get("/api/health")
    def api_health() -> ResponseReturnValue:
        return {"status": "ok"}

    @app.get("/api/events")
    def api_events() -> ResponseReturnValue:
        return jsonify(trails.recent(_limit()))

    @app.get("/api/events/<event_id>")
    def api_event(event_id: str) -> ResponseReturnValue:
        return jsonify(_found(trails.event(event_id), "event"))

    @app.get("/api/dlq")
    def api_dlq() -> ResponseReturnValue:
        return jsonify(trails.dead_letters())

    @app.get("/")
    def events_page() -> str:
        return render_template("events.html", events=trails.recent(_limit()))

    @app.get("/events/<event_id>")
    def event_page(event_id: str) -> str:
        trail = _found(trails.event(event_id), "event")
        mails = [mail for mail in mailbox.list() if mail["event_id"] == event_id]
        return render_template("event.html", trail=trail, bars=bars(trail.steps), mails=mails)

    @app.get("/dlq")
    def dlq_page() -> str:
        return render_template("dlq.html", letters=trails.dead_letters())


def _add_mails(app: Flask, mailbox: MailSource, looks: Looks) -> None:
    def looked_at(mail_id: str) -> Mail:
        mail = _found(mailbox.get(mail_id), "mail")
        looks.record(LookedAt.MAIL, mail_id)
        return mail

    @app.get("/api/mail")
    def api_mails() -> ResponseReturnValue:
        return jsonify(mailbox.list())

    @app.get("/api/mail/<mail_id>")
    def api_mail(mail_id: str) -> ResponseReturnValue:
        return jsonify(looked_at(mail_id))

    @app.get("/mail")
    def mails_page() -> str:
        return render_template("mails.html", mails=mailbox.list())

    @app.get("/mail/<mail_id>")
    def mail_page(mail_id: str) -> Response:
        mail = looked_at(mail_id)
        page = Response(render_template("mail.html", mail=mail))
        # The framed mail inherits this policy and brings its own styles; scripts stay forbidden.
        page.headers["Content-Security-Policy"] = f"{POLICY} 'unsafe-inline'"
        return page


def _add_stays(app: Flask, stays: Stays, looks: Looks) -> None:
    def looked_at(event_id: str) -> StayTimeline:
        stay = _found(stays.timeline(event_id), "stay")
        looks.record(LookedAt.STAY, stay.encounter_id)
        return stay

    @app.get("/api/stays/<event_id>")
    def api_stay(event_id: str) -> ResponseReturnValue:
        return jsonify(looked_at(event_id))

    @app.get("/stays/<event_id>")
    def stay_page(event_id: str) -> str:
        return render_template("stay.html", stay=looked_at(event_id))


def _limit() -> int:
    """The number of events requested."""
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT):
        abort(400, f"limit is a number from 1 to {MAX_LIMIT}")
    return int(text)


def _found(thing: Thing | None, name: str) -> Thing:
    if thing is None:
        abort(404, f"There is no such {name}.")
    return thing


def _only_loopback_names() -> None:
    """Rejects host names other than loopback's, against DNS rebinding by a web page."""
    if request.host.rsplit(":", 1)[0] not in LOOPBACK and request.host not in LOOPBACK:
        abort(421, "The console answers to 127.0.0.1 and localhost alone.")


def _guard(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if not request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _refused(error: HTTPException) -> ResponseReturnValue:
    return _problem(error.description or error.name, error.code or 500)


def _unavailable(error: Exception) -> ResponseReturnValue:
    return _problem(sentence(error), 503)


def _problem(text: str, code: int) -> ResponseReturnValue:
    if request.path.startswith("/api/"):
        return {"error": text}, code
    return render_template("problem.html", text=text, code=code), code
