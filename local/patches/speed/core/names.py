"""List the operations of a service's class once, and spell a name in snake case once.

moto inspects all members of the class for each request. SQS spells out the names of a queue's attributes
for each message.
"""

from functools import lru_cache

from moto.core import responses
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.sqs import models as sqs

from local.patches.patching import replace


def install() -> None:
    """Caches the names of this process's moto; calling it again changes nothing."""
    if vars(responses)["method_names_from_class"] is method_names_from_class:
        replace(responses, "method_names_from_class", lru_cache(1024)(method_names_from_class))
        in_snake_case = lru_cache(4096)(camelcase_to_underscores)
        replace(responses, "camelcase_to_underscores", in_snake_case)
        replace(sqs, "camelcase_to_underscores", in_snake_case)
