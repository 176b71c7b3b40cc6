"""Make the entries for the `requests` library once, and not each time that moto starts.

`mock_aws` registers a callback for each of seven HTTP methods and 185 URL patterns. The entries hold no
state that a test sees.
"""

from functools import lru_cache

from moto.core import models
from moto.core.custom_responses_mock import CallbackResponse

from local.patches.patching import replace


def install() -> None:
    """Keeps the entries of this process's moto; calling it again changes nothing."""
    if vars(models)["CallbackResponse"] is CallbackResponse:
        replace(models, "CallbackResponse", lru_cache(maxsize=None)(CallbackResponse))
