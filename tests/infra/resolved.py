"""An environment's templates with concrete names and ARNs in place of references.

Evaluators and linters of policies read ARNs; a synthesised template has `Fn::GetAtt` there. Names are
invented where CloudFormation would invent them.
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.infra.template import Resource, Template

ACCOUNT, REGION = "123456789012", "us-east-1"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": "",
}
NAMES = {
    *("AlarmName", "FunctionName", "LogGroupName", "Name", "QueueName", "RoleName"),
    *("StateMachineName", "TopicName", "TrailName", "LoadBalancerName", "ClusterName"),
}
"""The properties by which a template names a resource."""

_HERE = f"{REGION}:{ACCOUNT}"
ARNS = {
    "AWS::CloudTrail::Trail": f"arn:aws:cloudtrail:{_HERE}:trail/{{name}}",
    "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{_HERE}:alarm:{{name}}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_HERE}:table/{{name}}",
    "AWS::Events::Rule": f"arn:aws:events:{_HERE}:rule/{{name}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
    "AWS::KMS::Key": f"arn:aws:kms:{_HERE}:key/{{name}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_HERE}:function:{{name}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_HERE}:log-group:{{name}}:*",
    "AWS::Pipes::Pipe": f"arn:aws:pipes:{_HERE}:pipe/{{name}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::SNS::Topic": f"arn:aws:sns:{_HERE}:{{name}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_HERE}:{{name}}",
    "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{_HERE}:secret:{{name}}-a1b2c3",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{_HERE}:stateMachine:{{name}}",
}
REF_IS_ARN = {
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
}


class Resolved:
    """The stacks of an environment, all references resolved."""

    def __init__(self, stacks: Mapping[str, Template]) -> None:
        self._stacks = stacks
        self._templates: dict[str, dict[str, Any]] = {}
        self._exports = {
            export["Name"]: (template, output["Value"])
            for template in stacks.values()
            for output in template.document.get("Outputs", {}).values()
            if (export := output.get("Export"))
        }

    def template(self, stack: str) -> dict[str, Any]:
        """The document of a stack (`core`), its resources resolved. It is shared: callers do not change it."""
        if stack not in self._templates:
            self._templates[stack] = self._resolved(self._stacks[stack])
        return self._templates[stack]

    def _resolved(self, template: Template) -> dict[str, Any]:
        resources = {
            logical_id: {
                **resource,
                "Properties": self._value(resource.get("Properties", {}), template),
            }
            for logical_id, resource in template.resources.items()
        }
        return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}

    def arn(self, stack: str, path: str) -> str:
        """The ARN of the resource at a construct path below a stack."""
        return self.arn_of(stack, self._stacks[stack].id_of(path))

    def arn_of(self, stack: str, logical_id: str) -> str:
        """The ARN of a stack's resource by its logical id."""
        return self._arn(logical_id, self._stacks[stack])

    def policies(self, stack: str, role: str) -> list[dict[str, Any]]:
        """The policy documents of a role, by its construct path."""
        logical_id = self._stacks[stack].id_of(role)
        name = self._name(logical_id, self._stacks[stack])
        resources = self.template(stack)["Resources"].values()
        inline = [
            policy["PolicyDocument"]
            for policy in self.template(stack)["Resources"][logical_id]["Properties"].get(
                "Policies", []
            )
        ]
        return inline + [
            resource["Properties"]["PolicyDocument"]
            for resource in resources
            if resource["Type"] == "AWS::IAM::Policy" and name in resource["Properties"]["Roles"]
        ]

    def key_policies(self, stack: str) -> dict[str, dict[str, Any]]:
        """The policy of each KMS key of a stack by the key's ARN."""
        resources = self.template(stack)["Resources"]
        return {
            self.arn_of(stack, logical_id): resource["Properties"]["KeyPolicy"]
            for logical_id, resource in resources.items()
            if resource["Type"] == "AWS::KMS::Key"
        }

    def trust(self, stack: str, role: str) -> dict[str, Any]:
        """The trust policy of a role, by its construct path."""
        logical_id = self._stacks[stack].id_of(role)
        resource: Resource = self.template(stack)["Resources"][logical_id]
        document: dict[str, Any] = resource["Properties"]["AssumeRolePolicyDocument"]
        return document

    def _value(self, value: Any, template: Template) -> Any:
        match value:
            case {"Ref": name}:
                return PSEUDO.get(name) or self._reference(name, template)
            case {"Fn::GetAtt": [name, attribute]}:
                is_arn = attribute in ("Arn", "TopicArn")
                return self._arn(name, template) if is_arn else f"{name}.{attribute}"
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(str(self._value(part, template)) for part in parts)
            case {"Fn::Sub": str() as text}:
                return re.sub(r"\$\{([^}]+)\}", lambda m: PSEUDO.get(m[1], m[1]), text)
            case {"Fn::ImportValue": str() as name}:
                exporter, exported = self._exports[name]
                return self._value(exported, exporter)
            case {"Fn::Select": _} | {"Fn::Split": _} | {"Fn::GetAZs": _}:
                return "selected"
            case dict():
                return {key: self._value(one, template) for key, one in value.items()}
            case list():
                return [self._value(one, template) for one in value]
            case _:
                return value

    def _reference(self, logical_id: str, template: Template) -> str:
        kind = template.resources.get(logical_id, {}).get("Type", "")
        return (
            self._arn(logical_id, template)
            if kind in REF_IS_ARN
            else self._name(logical_id, template)
        )

    def _arn(self, logical_id: str, template: Template) -> str:
        kind = template.resources[logical_id]["Type"]
        pattern = ARNS.get(kind, f"arn:aws:unknown:{_HERE}:{{name}}")
        return pattern.format(name=self._name(logical_id, template))

    def _name(self, logical_id: str, template: Template) -> str:
        resource = template.resources.get(logical_id, {})
        named = [
            value
            for key, value in resource.get("Properties", {}).items()
            if key in NAMES and isinstance(value, str)
        ]
        return named[0] if named else logical_id.lower()
