"""The resource types that moto's CloudFormation lacks, or makes unusably, and those that a local run ignores.

Importing this module is enough: moto finds every class that names `CloudFormationModel` as a base,
and of two for the same type it takes the later. So the stack is created in one go, in the order of
its references, whoever knows the type.
"""

import json
import secrets
import string
from typing import Any, ClassVar, Self

from moto.core.common_models import CloudFormationModel
from moto.kms.models import Key, kms_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ses.models import ses_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

Properties = dict[str, Any]

IGNORED = {
    "AWS::CloudWatch::Alarm": "nobody is on call here",
    "AWS::CloudWatch::CompositeAlarm": "nobody is on call here",
    "AWS::CloudWatch::InsightRule": "it counts in CloudWatch Logs; the logs are files here",
    "AWS::Logs::QueryDefinition": "the logs are files under .local/logs",
    "AWS::S3::BucketPolicy": "it demands TLS and denies others; moto has neither",
    "AWS::SES::ConfigurationSetEventDestination": "local/events/ses_events.py sends every event",
    "AWS::SNS::Subscription": "nobody is on call here",
    "AWS::SNS::TopicPolicy": "it lets CloudWatch publish alarms",
    "AWS::SQS::QueuePolicy": "it demands TLS and lets EventBridge in; moto checks neither",
}
"""The types that a local run does without, and why it may. Others may still refer to them."""


PLAYED = {"Custom::Configuration": "Local::S3::CopiedObject"}
"""Custom resources, and the types below that do their work in moto."""


class _Taught:
    """The base of the classes below: a type, the property that names it, its `Ref` and attributes."""

    TYPE: ClassVar[str]
    NAMED_BY: ClassVar[str]
    ATTRIBUTES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, reference: str, properties: Properties, **attributes: str) -> None:
        self.physical_resource_id = reference
        self.properties = properties
        self._attributes = attributes

    @classmethod
    def cloudformation_type(cls) -> str:
        """The type in the template."""
        return cls.TYPE

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """The property that holds the resource's name."""
        return cls.NAMED_BY

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Whether `Fn::GetAtt` may ask for it."""
        return attr in cls.ATTRIBUTES

    def get_cfn_attribute(self, attribute: str) -> str:
        """The value of `Fn::GetAtt`; `KeyError` for one that we did not think of."""
        return self._attributes[attribute]

    def is_created(self) -> bool:
        """Always: nothing here takes time."""
        return True

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> Self:
        """Creates the resource in moto and returns it."""
        properties = cloudformation_json["Properties"]
        name = properties.get(cls.NAMED_BY, resource_name)
        return cls.create(name, properties, account_id, region_name)

    @classmethod
    def create(cls, name: str, properties: Properties, account: str, region: str) -> Self:
        """Creates the resource; `properties` hold no references any more."""
        raise NotImplementedError


class Secret(_Taught, CloudFormationModel):
    """A secret whose text SecretStringTemplate and a generated string make."""

    TYPE = "AWS::SecretsManager::Secret"
    NAMED_BY = "Name"

    @classmethod
    def create(cls, name: str, properties: Properties, account: str, region: str) -> Self:
        wish = properties["GenerateSecretString"]
        alphabet = string.ascii_letters + string.digits
        text = "".join(secrets.choice(alphabet) for _ in range(wish["PasswordLength"]))
        document = {**json.loads(wish["SecretStringTemplate"]), wish["GenerateStringKey"]: text}
        backend = secretsmanager_backends[account][region]
        made = json.loads(
            backend.create_secret(
                name=name,
                secret_string=json.dumps(document),
                secret_binary=None,
                description=properties.get("Description"),
                tags=None,
                kms_key_id=None,
                client_request_token=None,
                replica_regions=[],
                force_overwrite=False,
            )
        )
        return cls(made["ARN"], properties)


class EncryptionKey(Key, CloudFormationModel):
    """A key of the template's usage and kind; moto's own is always symmetric."""

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> Key:
        properties = cloudformation_json["Properties"]
        if properties.get("KeyUsage") != "GENERATE_VERIFY_MAC":
            return Key.create_from_cloudformation_json(
                resource_name, cloudformation_json, account_id, region_name, **kwargs
            )
        return kms_backends[account_id][region_name].create_key(
            policy=json.dumps(properties["KeyPolicy"]),
            key_usage=properties["KeyUsage"],
            key_spec=properties["KeySpec"],
            description=properties.get("Description"),
            tags=properties.get("Tags", []),
        )


class Bucket(FakeBucket, CloudFormationModel):
    """A bucket that is versioned from the start where the template says so; moto's own never is."""

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> FakeBucket:
        bucket = FakeBucket.create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        versioning = cloudformation_json.get("Properties", {}).get("VersioningConfiguration")
        if versioning:
            bucket.versioning_status = versioning["Status"]
        return bucket


class CopiedObject(_Taught, CloudFormationModel):
    """An object that an SDK call of the CDK's AwsCustomResource (S3 CopyObject) copies."""

    TYPE = "Local::S3::CopiedObject"
    NAMED_BY = ""
    ATTRIBUTES = ("VersionId",)

    @classmethod
    def create(cls, name: str, properties: Properties, account: str, *_: str) -> Self:
        call = json.loads(properties["Create"])
        assert (call["service"], call["action"]) == ("S3", "copyObject")
        wanted = call["parameters"]
        bucket, _, key = wanted["CopySource"].partition("/")
        backend = s3_backends[account]["aws"]
        source = backend.get_object(bucket, key)
        if source is None:
            raise ValueError(f"{name}: there is no asset {wanted['CopySource']}")
        copy = backend.put_object(wanted["Bucket"], wanted["Key"], source.value)
        return cls(wanted["Key"], properties, VersionId=copy.version_id)


class ConfigurationSet(_Taught, CloudFormationModel):
    """An SES configuration set; moto keeps its name."""

    TYPE = "AWS::SES::ConfigurationSet"
    NAMED_BY = "Name"

    @classmethod
    def create(cls, name: str, properties: Properties, account: str, region: str) -> Self:
        ses_backends[account][region].create_configuration_set(name)
        return cls(name, properties)


class EmailIdentity(_Taught, CloudFormationModel):
    """A domain or address that mail comes from; verified at once, for nobody asks a DNS."""

    TYPE = "AWS::SES::EmailIdentity"
    NAMED_BY = "EmailIdentity"
    ATTRIBUTES = tuple(f"DkimDNSToken{part}{n}" for part in ("Name", "Value") for n in (1, 2, 3))

    @classmethod
    def create(cls, name: str, properties: Properties, account: str, region: str) -> Self:
        ses_backends[account][region].create_email_identity_v2(name, None, None, None)
        names = {f"DkimDNSTokenName{n}": f"local{n}._domainkey.{name}" for n in (1, 2, 3)}
        values = {f"DkimDNSTokenValue{n}": f"local{n}.dkim.amazonses.com" for n in (1, 2, 3)}
        return cls(name, properties, **names, **values)


class StateMachine(_Taught, CloudFormationModel):
    """A state machine in the backend that interprets it; moto's own lands in the one that does not."""

    TYPE = "AWS::StepFunctions::StateMachine"
    NAMED_BY = "StateMachineName"
    ATTRIBUTES = ("Arn", "Name")

    @classmethod
    def create(cls, name: str, properties: Properties, account: str, region: str) -> Self:
        definition: str = properties["DefinitionString"]
        for key, value in properties.get("DefinitionSubstitutions", {}).items():
            definition = definition.replace("${" + key + "}", value)
        machine = stepfunctions_parser_backends[account][region].create_state_machine(
            name=name,
            definition=definition,
            roleArn=properties["RoleArn"],
            sm_type=properties["StateMachineType"],
        )
        return cls(machine.arn, properties, Arn=machine.arn, Name=name)


class Pipe(_Taught, CloudFormationModel):
    """A pipe as the template has it; local/events/pipe.py plays it."""

    TYPE = "AWS::Pipes::Pipe"
    NAMED_BY = "Name"
    ATTRIBUTES = ("Arn",)

    @classmethod
    def create(cls, name: str, properties: Properties, account: str, region: str) -> Self:
        return cls(name, properties, Arn=f"arn:aws:pipes:{region}:{account}:pipe/{name}")


class _Ignored(_Taught):
    """The placeholder of a resource that is not made."""

    NAMED_BY = ""

    @classmethod
    def has_cfn_attr(cls, _: str) -> bool:
        return True

    def get_cfn_attribute(self, attribute: str) -> str:
        return f"{self.physical_resource_id}.{attribute}"

    @classmethod
    def create(cls, name: str, properties: Properties, *_: str) -> Self:
        return cls(name, properties)


# Kept here, because moto's list of subclasses keeps nothing alive.
PLACEHOLDERS = [
    type(kind.replace("::", ""), (_Ignored, CloudFormationModel), {"TYPE": kind})
    for kind in IGNORED
]
