"""Documents of the vault as the JSON that they are, for tests of their shape and of older versions."""

import json
from typing import Any

from lambdas.common.aws.vault import document_key
from lambdas.common.contracts.document import Written
from lambdas.common.function.context import Context


def read_json(
    context: Context, event_id: str, name: str, version_id: str | None = None
) -> dict[str, Any]:
    """The document of this name, in the named version or the newest."""
    version = {"VersionId": version_id} if version_id else {}
    bucket = context.settings.vault_bucket
    answer = context.client("s3").get_object(
        Bucket=bucket, Key=document_key(event_id, name), **version
    )
    document: dict[str, Any] = json.loads(answer["Body"].read())
    return document


def write_json(context: Context, event_id: str, name: str, document: dict[str, Any]) -> Written:
    """Writes the document; the digest of the answer is left out."""
    key = document_key(event_id, name)
    answer = context.client("s3").put_object(
        Bucket=context.settings.vault_bucket, Key=key, Body=json.dumps(document).encode()
    )
    return Written(key, answer["VersionId"], "")
