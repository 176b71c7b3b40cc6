"""The context of the functions that write or verify the daily digests of the audit trail."""

from dataclasses import dataclass

from lambdas.common.audit.digests import DigestBucket
from lambdas.common.function.context import Context
from lambdas.common.function.settings import Settings, required, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings(Settings):
    """The settings of all steps, and the bucket of the digests (ENS_AUDIT_DIGEST_BUCKET)."""

    digest_bucket: str = setting(required, "ENS_AUDIT_DIGEST_BUCKET")


@dataclass(frozen=True)
class AuditContext(Context):
    """The context of every step, with the bucket of the digests."""

    settings: AuditSettings

    def digests(self) -> DigestBucket:
        """The digests, each read at most once by the returned object."""
        return DigestBucket(self, self.settings.digest_bucket)
