"""`python -m receiver`: reads the settings and serves. On an error it logs one line and exits with 1."""

import gc
import os
import sys

from receiver.app import serve
from receiver.errors import BackgroundTaskError, StoreUnavailableError
from receiver.intake.intake import Intake
from receiver.loop import run
from receiver.settings import SettingError, read_settings
from receiver.storage.store import Store
from receiver.telemetry.log import Log


def main(store_type: type[Store] = Store, intake_type: type[Intake] = Intake) -> int:
    """Serves until a stop signal. Returns the exit status."""
    log = Log()
    gc.freeze()
    gc.set_threshold(50_000)  # a message leaves no reference cycles; reference counting frees it
    try:
        settings = read_settings()
        run(serve(settings, log, store_type, intake_type))
    except SettingError as error:
        log.error(f"cannot start: {error}")
    except StoreUnavailableError as error:
        log.error(f"cannot start: the configuration document cannot be read ({error})")
    except BackgroundTaskError:
        log.error("ended, because a background task kept failing")
    except OSError as error:
        log.error(f"cannot start: cannot listen on a port ({os.strerror(error.errno or 0)})")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
