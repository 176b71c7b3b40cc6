"""`ens report cop` on a generated month of 50,000 events: `make bench-cop`.

A server in a process of its own answers the report's queries as DynamoDB would after filter and projection,
page by page, over HTTP; `--page-ms` is the time that it takes for each page. moto's own query reads the whole
table for each page, so that it would measure moto. Measured are the reading with boto3, the counting, and the
writing of Markdown, CSV and PDF.
"""

import argparse
import json
import multiprocessing
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from multiprocessing.connection import Connection

import boto3

from bench.cop.month import pages
from lambdas.common.aws.clients import Clients
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.settings import LedgerSettings
from ops.cop import spreadsheet
from ops.cop.markdown import markdown
from ops.cop.month_entries import events_of, month_of
from ops.cop.pdf import pdf
from ops.cop.report import report
from ops.events.long_reads import CONFIG

MOST_SECONDS = 10.0


def serve(ready: Connection, events: int, seed: int, page_seconds: float) -> None:
    """Answers Query until the process ends; sends its port when it is ready."""
    bodies = pages(events, seed)
    answered: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Nagle's algorithm would hold a body back for 40 ms, until the header was acknowledged.
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            values = asked["ExpressionAttributeValues"]
            key = (values.get(":day") or values[":e"])["S"]
            answered.append(key)
            place = int(asked.get("ExclusiveStartKey", {}).get("page", {}).get("S", 0))
            time.sleep(page_seconds)
            found = bodies.get(key, [])
            body = found[place] if place < len(found) else b'{"Items": [], "Count": 0}'
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Writes nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    ready.send(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ready.recv()
    ready.send(Counter("day" if len(key) == 10 else "event" for key in answered))


def main(arguments: list[str]) -> int:
    """The exit status: 1 when the report takes ten seconds or more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page-ms", type=int, default=20, help="the store's time for a page")
    options = parser.parse_args(arguments)
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(
        target=serve,
        args=(theirs, options.events, options.seed, options.page_ms / 1000),
        daemon=True,
    )
    server.start()
    try:
        spent = _measured(ours.recv())
        ours.send("done")
        asked = ours.recv()
        print(
            f"  {asked['day']} pages of {options.page_ms} ms, {asked['event']} events by themselves"
        )
        return 0 if spent < MOST_SECONDS else 1
    finally:
        server.terminate()


def _measured(port: int) -> float:
    """Prints the figures, and returns the seconds of the whole."""
    session = boto3.Session("test", "test", region_name="us-east-1")
    client = session.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}", config=CONFIG)
    context = LedgerContext(_settings(), Clients(dynamodb=client))
    month = month_of("2026-10")
    began, used = time.perf_counter(), time.process_time()
    events, unread = events_of(context, "northgen", month)
    read = time.perf_counter()
    made = report(
        events, unread, sender="northgen", environment="prod", month=month, prepared="2026-11-01"
    )
    text = markdown(made)
    document = pdf(made)
    table = StringIO()
    spreadsheet.write(events, table)
    ended = time.perf_counter()
    print(f"{len(events):,} events")
    print(f"  read and counted  {read - began:6.2f} s")
    print(
        f"  written           {ended - read:6.2f} s  Markdown {len(text):,} characters,"
        f" PDF {len(document):,} bytes, CSV {len(table.getvalue()):,}"
    )
    print(f"  whole             {ended - began:6.2f} s, {time.process_time() - used:.2f} s of CPU")
    return ended - began


def _settings() -> LedgerSettings:
    return LedgerSettings(
        environment="prod",
        vault_bucket="vault",
        audit_table="audit",
        status_table="status",
        reference_key_secret="reference-key",
        audit_key_secret="audit-key",
        ledger_table="ledger",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
