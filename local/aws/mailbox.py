"""The mails that the local SES accepted, as they went over the wire; nothing leaves this machine."""

import base64
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from typing import Any

from werkzeug.wrappers import Response

from lambdas.common.clock import now
from local.aws.requests import json_of, operation_of, service_of
from local.aws.sockets import App, Environ, StartResponse

Document = dict[str, Any]
Documents = list[Document]


@dataclass(frozen=True, slots=True)
class AcceptedMail:
    """One accepted mail. `mail_id` is SES's message id; `tags` are those of SendEmail."""

    mail_id: str
    sent_at: str
    to: tuple[str, ...]
    tags: dict[str, str]
    configuration_set: str
    raw: bytes = field(repr=False)
    sender: str = field(init=False, repr=False)
    subject: str = field(init=False, repr=False)
    """Both are decoded, and read once, because lists of mails are asked for often."""

    def __post_init__(self) -> None:
        headers = BytesHeaderParser(policy=policy.default).parsebytes(self.raw)
        object.__setattr__(self, "sender", str(headers["From"]))
        object.__setattr__(self, "subject", str(headers["Subject"] or ""))

    @property
    def event_id(self) -> str:
        """The event that it tells of; "" for a mail that is not ours."""
        return self.tags.get("event_id", "")

    @property
    def message(self) -> EmailMessage:
        """The mail as its reader's program parses it."""
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def summary(self) -> Document:
        """One line of a list of mails."""
        return {
            "mail_id": self.mail_id,
            "to": list(self.to),
            "subject": self.subject,
            "event_id": self.event_id,
            "sent_at": self.sent_at,
        }

    def document(self) -> Document:
        """The whole mail: its headers in order, both bodies ("" for one it lacks), and the MIME text."""
        return {
            **self.summary(),
            "headers": [[name, str(value)] for name, value in self.message.items()],
            "text": self._part("plain"),
            "html": self._part("html"),
            "raw": self.raw.decode("utf-8", "replace"),
        }

    def _part(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return "" if part is None else str(part.get_content())


Accepted = Callable[[AcceptedMail], None]


class Mailbox:
    """Stores a copy of each mail that the local SES accepts."""

    def __init__(self) -> None:
        self._mails: list[AcceptedMail] = []
        self._lock = threading.Lock()
        self._listeners: list[Accepted] = []

    def list(self) -> Documents:
        """The summary of every mail so far, the newest first."""
        with self._lock:
            mails = self._mails[::-1]
        return [mail.summary() for mail in mails]

    def get(self, mail_id: str) -> Document | None:
        """The mail of that id as a document, or None."""
        with self._lock:
            mails = self._mails[:]
        return next((mail.document() for mail in mails if mail.mail_id == mail_id), None)

    def on_accepted(self, listener: Accepted) -> None:
        """Has `listener` called with every mail that is accepted from now on."""
        self._listeners.append(listener)

    def in_front_of(self, app: App) -> App:
        """`app`, with every SendEmail that it answers well kept here."""

        def watching(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            if (service_of(environ), operation_of(environ)) != ("ses", "SendEmail"):
                return app(environ, start_response)
            request = json_of(environ)
            answer = Response.from_app(app, environ)
            if answer.status_code == 200:
                message_id = json.loads(answer.get_data())["MessageId"]
                mail = AcceptedMail(
                    mail_id=message_id,
                    sent_at=now(),
                    to=tuple(request["Destination"]["ToAddresses"]),
                    tags={tag["Name"]: tag["Value"] for tag in request.get("EmailTags", [])},
                    configuration_set=request.get("ConfigurationSetName", ""),
                    raw=base64.b64decode(request["Content"]["Raw"]["Data"]),
                )
                with self._lock:
                    self._mails.append(mail)
                for listener in self._listeners:
                    listener(mail)
            return answer(environ, start_response)

        return watching
