"""Build a client's User-Agent once, and not twice for each request, letter by letter: a tenth of a call."""

from collections.abc import Iterable

from botocore.context import get_context
from botocore.useragent import UserAgentString

from local.patches.patching import replace

_to_string = UserAgentString.to_string
_STORED = "built_strings"


def install() -> None:
    """Changes the user agents of this process's botocore; calling it again changes nothing."""
    replace(UserAgentString, "to_string", _cached)


def _cached(user_agent: UserAgentString) -> str:
    """The string that botocore builds from the settings of session and client and the features in use."""
    context = get_context()
    features: Iterable[str] = context.features if context else ()
    key = (
        user_agent._client_config,
        user_agent._session_user_agent_name,
        user_agent._session_user_agent_version,
        user_agent._session_user_agent_extra,
        frozenset(user_agent._client_features or ()),
        frozenset(features),
    )
    # botocore copies the object for a client: the copy shares the dictionary and has a key of its own.
    built: dict[object, str] = user_agent.__dict__.setdefault(_STORED, {})
    if key not in built:
        built[key] = _to_string(user_agent)
    return built[key]
