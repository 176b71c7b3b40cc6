"""The configuration document that receiver and functions share, in a bucket of its own."""

import hashlib
import tempfile
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import custom_resources
from constructs import Construct, IConstruct

from environments import Environment
from infra.accepted_findings import DEPENDS_ON_ROLE, INLINE, accept
from infra.buckets import private_bucket, unlogged
from infra.grants import allow
from infra.log_groups import LogGroup
from infra.stateful import removal_policy_of_bucket_filled_at_creation

KEY = "configuration.json"


class ConfigurationDocument(Construct):
    """A versioned bucket with one object, replaced by each deployment that changes the document.

    The document holds no patient data. It is an asset of the CDK; S3 CopyObject copies it from the
    bootstrap bucket, so that it may be longer than a template's values. docs/adr/0101 says why.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        logs_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = _bucket(self, environment)
        self._object = self.bucket.arn_for_objects(KEY)
        copy = self._copy(environment, _asset(self, environment), logs_key)
        version = copy.get_response_field("VersionId")
        self.variables = {
            "ENS_CONFIGURATION_BUCKET": self.bucket.bucket_name,
            "ENS_CONFIGURATION_KEY": KEY,
        }
        # The version differs after each change, so Lambda starts new sandboxes, and each of them
        # reads the document that its deployment wrote.
        self.versioned_variables = {**self.variables, "ENS_CONFIGURATION_VERSION": version}

    def read_version(self) -> iam.PolicyStatement:
        """Allows reading any version of the document, and nothing else."""
        return allow(("s3:GetObjectVersion",), [self._object])

    def read(self) -> iam.PolicyStatement:
        """Allows reading the newest version of the document, and nothing else."""
        return allow(("s3:GetObject",), [self._object])

    def _copy(
        self, environment: Environment, asset: s3_assets.Asset, logs_key: kms.IKey
    ) -> custom_resources.AwsCustomResource:
        name = f"{environment.prefix}-Configure"
        logs = LogGroup(
            self, "Logs", name=f"/aws/lambda/{name}", key=logs_key, environment=environment
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{name}: copies the configuration document at deployment",
        )
        role.add_to_policy(
            allow(("logs:CreateLogStream", "logs:PutLogEvents"), [logs.log_group_arn])
        )
        call = custom_resources.AwsSdkCall(
            service="S3",
            action="copyObject",
            parameters={
                "Bucket": self.bucket.bucket_name,
                "Key": KEY,
                "CopySource": f"{asset.s3_bucket_name}/{asset.s3_object_key}",
                "ContentType": "application/json",
                "MetadataDirective": "REPLACE",
            },
            physical_resource_id=custom_resources.PhysicalResourceId.of(KEY),
            output_paths=["VersionId"],
        )
        source = asset.bucket.arn_for_objects(asset.s3_object_key)
        copy = custom_resources.AwsCustomResource(
            self,
            "Copy",
            resource_type="Custom::Configuration",
            on_create=call,
            on_update=call,
            policy=custom_resources.AwsCustomResourcePolicy.from_statements(
                [allow(("s3:GetObject",), [source]), allow(("s3:PutObject",), [self._object])]
            ),
            role=role,
            function_name=name,
            log_group=logs,
            install_latest_aws_sdk=False,
            timeout=cdk.Duration.minutes(1),
        )
        accept(role, {"HIPAA.Security-IAMNoInlinePolicy": INLINE})
        accept(copy, {"HIPAA.Security-IAMNoInlinePolicy": INLINE})
        once = "Only CloudFormation calls it, once a deployment."
        awaited = "CloudFormation waits for its answer, and a failure ends the deployment."
        outside = (
            "It makes one call to S3 about a document without patient data, and answers"
            " CloudFormation at an address outside the VPC."
        )
        accept(
            _function(self),
            {
                "HIPAA.Security-LambdaConcurrency": once,
                "HIPAA.Security-LambdaDLQ": awaited,
                "HIPAA.Security-LambdaInsideVPC": outside,
                "CKV_AWS_115": once,
                "CKV_AWS_116": awaited,
                "CKV_AWS_117": outside,
                "W3005": DEPENDS_ON_ROLE,
            },
        )
        return copy


def _function(scope: Construct) -> IConstruct:
    """The function behind every AwsCustomResource of the stack."""
    uuid = custom_resources.AwsCustomResource.PROVIDER_FUNCTION_UUID
    return cdk.Stack.of(scope).node.find_child(f"AWS{uuid.replace('-', '')}")


def _asset(scope: Construct, environment: Environment) -> s3_assets.Asset:
    """The document as an asset, named by its SHA-256: `cdk synth` twice gives the same template."""
    document = environment.configuration().encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / KEY
        file.write_bytes(document)
        return s3_assets.Asset(
            scope,
            "Document",
            path=str(file),
            asset_hash=hashlib.sha256(document).hexdigest(),
            asset_hash_type=cdk.AssetHashType.CUSTOM,
        )


def _bucket(scope: Construct, environment: Environment) -> s3.Bucket:
    bucket = private_bucket(
        scope,
        "Bucket",
        logical_id="BucketConfiguration",
        key=None,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=removal_policy_of_bucket_filled_at_creation(environment),
        lifecycle_rules=[
            s3.LifecycleRule(
                noncurrent_version_expiration=cdk.Duration.days(
                    environment.retention.configuration_days
                )
            ),
        ],
    )
    accept(
        bucket,
        {
            **unlogged(
                "It holds no patient data; its versions and CloudFormation's events show each change."
            ),
            "HIPAA.Security-S3BucketReplicationEnabled": "A deployment writes the document again.",
            "HIPAA.Security-S3DefaultEncryptionKMS": "It holds no patient data, so that no function"
            " needs a further KMS key to read it.",
        },
    )
    return bucket
