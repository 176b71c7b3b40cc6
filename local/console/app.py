"""The console page and its JSON API: events with their steps, accepted mails, dead letters.

For the local system: it shows notifications, which hold patient data. It answers to loopback host
names only, and its pages run only its own scripts.
"""

from typing import Any, TypeVar

from flask import Flask, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from lambdas.common.contracts.audit import LookedAt
from local.aws.mailbox import Mailbox
from local.console.looks import ConsoleLooks
from local.console.views import bars, code_spans, when
from ops.encounters.stays import StaySource, StayTimeline
from ops.events.trail import TrailSource
from ops.output import count, duration, sentence_case, words
from ops.problem import FAILURES, sentence

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
DEFAULT_LIMIT, MAX_LIMIT = 50, 500
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'self'"
)

Mail = dict[str, Any]
Thing = TypeVar("Thing")


def create_app(
    trails: TrailSource, mailbox: Mailbox, stays: StaySource, looks: ConsoleLooks
) -> Flask:
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


def _add_events(app: Flask, trails: TrailSource, mailbox: Mailbox) -> None:
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


def _add_mails(app: Flask, mailbox: Mailbox, looks: ConsoleLooks) -> None:
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


def _add_stays(app: Flask, stays: StaySource, looks: ConsoleLooks) -> None:
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
