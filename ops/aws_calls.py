"""Calls of AWS that may find nothing, and many calls at the same time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from botocore.exceptions import ClientError

Answer = TypeVar("Answer")
K = TypeVar("K")

READERS = 8
"""Calls that run side by side, below the ten connections of a boto3 client."""


def if_exists(call: Callable[..., Answer], *absent: str, **parameters: Any) -> Answer | None:
    """Returns the answer of a call, None where AWS refuses it with one of the error codes `absent`.

    Other errors are raised.
    """
    try:
        return call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in absent:
            raise
        return None


def stack(cloudformation: Any, name: str) -> Any:
    """Returns a stack as CloudFormation's DescribeStacks describes it, None when it does not exist."""
    # CloudFormation answers "ValidationError" for a stack that does not exist.
    answer: Any = if_exists(cloudformation.describe_stacks, "ValidationError", StackName=name)
    return answer["Stacks"][0] if answer else None


def side_by_side(read: Callable[[K], Answer], keys: Iterable[K]) -> list[Answer]:
    """Returns the answer of a read for each key, in the order of the keys; `READERS` run at a time."""
    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(read, keys))
