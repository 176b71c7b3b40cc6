"""Serves the requests of tests to the local AWS besides faults: `POST /_local/return-now`."""

import json
from collections.abc import Iterable

from moto.sqs.models import sqs_backends
from werkzeug.wrappers import Response

from local.aws.clients import ACCOUNT, REGION
from local.aws.sockets import App, Environ, StartResponse
from local.patches.additions.fifo import return_now

RETURN_NOW = "/_local/return-now"


def with_controls(app: App) -> App:
    """`app`, and before it the request that ends every visibility timeout: no test waits for one.

    It answers how many messages it made visible, by queue.
    """

    def controlled(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        asked = (environ["REQUEST_METHOD"], environ.get("PATH_INFO"))
        if asked != ("POST", RETURN_NOW):
            return app(environ, start_response)
        queues = sqs_backends[ACCOUNT][REGION].queues
        returned = {name: return_now(queue) for name, queue in queues.items()}
        answer = Response(json.dumps(returned), content_type="application/json")
        return answer(environ, start_response)

    return controlled
