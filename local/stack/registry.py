"""The registry of the local run: the CSV files in samples/registry/, loaded into its table."""

from pathlib import Path

from lambdas.common.aws.items import to_item
from lambdas.registry.importing.plan import items_of_folder
from local.aws.clients import client

FOLDER = Path(__file__).resolve().parents[2] / "samples" / "registry"


def load(table: str, port: int, folder: Path = FOLDER) -> int:
    """Writes every row to the table and returns how many items that made.

    Raises `InvalidRegistryError`, which lists the faults by file and line.
    """
    found = items_of_folder(folder)
    dynamodb = client("dynamodb", port)
    for item in found:
        dynamodb.put_item(TableName=table, Item=to_item(item))
    return len(found)
