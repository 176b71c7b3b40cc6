"""`python -m receiver`: reads the settings, serves, and ends non-zero with one line when it cannot."""

import asyncio
import os
import sys

from botocore.exceptions import BotoCoreError, ClientError

from receiver.app import serve
from receiver.log import Log, where
from receiver.settings import SettingError, read_settings


def main() -> int:
    """The process's exit status."""
    log = Log()
    try:
        settings = read_settings(os.environ)
        asyncio.run(serve(settings, log))
    except SettingError as error:
        log.error(f"cannot start: {error}")
    except (BotoCoreError, ClientError) as error:
        log.error("cannot start: AWS does not give the reference key", error=where(error))
    except OSError as error:
        log.error(f"cannot start: a port cannot be opened ({os.strerror(error.errno or 0)})")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
