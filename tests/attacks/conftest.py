"""The receiver on real sockets, with S3 and SQS of moto, as the receiver's own tests run it."""

from tests.functional.receiver.conftest import authority, clients, start, world

__all__ = ["authority", "clients", "start", "world"]
