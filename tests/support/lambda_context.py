"""The part of a Lambda context object that the handlers' wrapper reads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """The context of one invocation (AWS Lambda developer guide, "Python context object")."""

    function_name: str
    memory_limit_in_mb: int = 256
    aws_request_id: str = "request"

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN in the account of AWS's examples."""
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"
