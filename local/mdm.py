"""Which index the local system asks: `ENS_MDM=pixpdq make run` is the whole system over the real protocol."""

import json
from contextlib import ExitStack
from pathlib import Path

from local.index import Index
from local.servers import HOST


class MdmError(Exception):
    """`ENS_MDM` names no index that the local system can bring along."""


def start(name: str, folder: Path, running: ExitStack) -> dict[str, str]:
    """Starts the index called `name` on the registry's files; what LookupIdentities is to be told of it.

    `registry`, or nothing, needs no index. Raises `MdmError` for a name that is none.
    """
    if name in ("", "registry"):
        return {}
    if name != "pixpdq":
        raise MdmError("ENS_MDM is registry or pixpdq.")
    index = Index(folder).start()
    running.callback(index.stop)
    settings = {"host": HOST, "port": index.port, "domain": "REGION"}
    return {"ENS_MDM_BACKEND": "pixpdq", "ENS_MDM_SETTINGS": json.dumps(settings)}
