"""`python -m receiver`: reads the settings and serves. On a failure it prints one line and exits non-zero."""

import gc
import os
import sys

from botocore.exceptions import BotoCoreError, ClientError

from receiver.app import serve
from receiver.errors import StoreUnavailableError
from receiver.loop import run
from receiver.settings import SettingError, read_settings
from receiver.telemetry.log import Log, where


def main() -> int:
    """The process's exit status."""
    log = Log()
    gc.freeze()
    gc.set_threshold(50_000)  # a message leaves no reference cycles; reference counting frees it
    try:
        settings = read_settings()
        run(serve(settings, log))
    except SettingError as error:
        log.error(f"cannot start: {error}")
    except (BotoCoreError, ClientError) as error:
        log.error("cannot start: AWS does not give the reference key", error=where(error))
    except StoreUnavailableError as error:
        log.error(f"cannot start: the configuration cannot be read ({error})")
    except OSError as error:
        log.error(f"cannot start: a port cannot be opened ({os.strerror(error.errno or 0)})")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
