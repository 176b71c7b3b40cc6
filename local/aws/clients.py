"""Makes the AWS clients of the local run's processes and threads: as the developer, or as a role."""

from typing import Any

import boto3
from botocore.config import Config

from local.aws.sockets import HOST

REGION = "us-east-1"
ACCOUNT = "123456789012"

CONFIG = Config(retries={"total_max_attempts": 1}, max_pool_connections=32)


def developer_environment(port: int) -> dict[str, str]:
    """The variables with which any AWS client reaches the local AWS as the developer, who may do anything."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def role_environment(port: int, role_arn: str) -> dict[str, str]:
    """The variables of a process that acts with a role's credentials and nothing else."""
    assumed = client("sts", port).assume_role(RoleArn=role_arn, RoleSessionName="local")
    return {
        **developer_environment(port),
        "AWS_ACCESS_KEY_ID": assumed["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": assumed["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": assumed["Credentials"]["SessionToken"],
    }


def client(
    service: str, port: int, role_arn: str | None = None, config: Config | None = None
) -> Any:
    """A boto3 client of the local AWS, as the developer or with a role's credentials; it tries once."""
    environment = role_environment(port, role_arn) if role_arn else developer_environment(port)
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
        region_name=REGION,
    )
    return session.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        config=CONFIG.merge(config) if config else CONFIG,
    )
