"""Calls of AWS whose answer may be that a thing does not exist."""

from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import ClientError

Answer = TypeVar("Answer")


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
