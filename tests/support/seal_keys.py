"""The KMS key that seals audit chains, and the bucket of the daily digests, in moto."""

import boto3

SEAL_KEY = "alias/audit-seal"
DIGESTS = "audit-digests"


def create() -> None:
    """Makes an HMAC key under the alias, and a bucket with Object Lock."""
    kms = boto3.client("kms")
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    kms.create_alias(AliasName=SEAL_KEY, TargetKeyId=key["KeyId"])
    boto3.client("s3").create_bucket(Bucket=DIGESTS, ObjectLockEnabledForBucket=True)
