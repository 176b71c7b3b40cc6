"""The local AWS creates every resource of a template, or names the one that it cannot."""

import json
from typing import Any

import boto3
import pytest
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from local.stack import resources
from local.stack.deploy import DeploymentError, creatable

ACCOUNT, REGION = "123456789012", "us-east-1"


def create(**resources_of_template: Any) -> dict[str, str]:
    """Creates a stack and returns its physical ids by logical ones."""
    cloudformation = boto3.client("cloudformation")
    template = creatable({"Resources": resources_of_template})
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(template))
    made = cloudformation.describe_stack_resources(StackName="s")["StackResources"]
    return {r["LogicalResourceId"]: r.get("PhysicalResourceId", "") for r in made}


def test_a_type_that_nobody_knows_stops_the_deployment() -> None:
    template = {"Resources": {"Ledger": {"Type": "AWS::QLDB::Ledger", "Properties": {}}}}

    with pytest.raises(DeploymentError, match="Ledger is a AWS::QLDB::Ledger"):
        creatable(template)


def test_every_ignored_type_says_why() -> None:
    assert all(reason for reason in resources.IGNORED.values())


def test_a_generated_secret_holds_its_key_and_is_never_the_same(aws: Any) -> None:
    wish = {
        "SecretStringTemplate": '{"current":"k1"}',
        "GenerateStringKey": "k1",
        "PasswordLength": 64,
    }
    secret = {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"GenerateSecretString": wish},
    }

    ids = create(One=secret, Two=secret)

    manager = boto3.client("secretsmanager")
    texts = [manager.get_secret_value(SecretId=arn)["SecretString"] for arn in ids.values()]
    assert [json.loads(text)["current"] for text in texts] == ["k1", "k1"]
    assert len({json.loads(text)["k1"] for text in texts}) == 2
    assert all(len(json.loads(text)["k1"]) == 64 for text in texts)


def test_a_state_machine_is_interpreted_and_has_its_substitutions(aws: Any) -> None:
    definition = {"StartAt": "End", "States": {"End": {"Type": "Succeed", "Comment": "${Word}"}}}
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": "m",
            "StateMachineType": "EXPRESS",
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
            "DefinitionString": json.dumps(definition),
            "DefinitionSubstitutions": {"Word": {"Ref": "Topic"}},
        },
    }

    ids = create(Machine=machine, Topic={"Type": "AWS::SNS::Topic", "Properties": {}})

    made = stepfunctions_parser_backends[ACCOUNT][REGION].describe_state_machine(ids["Machine"])
    assert made.name == "m"
    assert json.loads(made.definition)["States"]["End"]["Comment"] == ids["Topic"]


def test_others_may_refer_to_what_is_ignored(aws: Any) -> None:
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "a"}}
    topic = {
        "Type": "AWS::SNS::Topic",
        "Properties": {"DisplayName": {"Fn::GetAtt": ["Alarm", "Arn"]}},
    }

    assert create(Alarm=alarm, Topic=topic)["Topic"]


def test_a_function_s_code_stays_where_it_is() -> None:
    code = {"S3Bucket": "assets", "S3Key": "a.zip"}
    properties = {"Code": code, "Timeout": 5}
    function = {"Type": "AWS::Lambda::Function", "Properties": properties}

    (made,) = creatable({"Resources": {"F": function}})["Resources"].values()

    assert made["Properties"]["Timeout"] == 5
    assert "ZipFile" in made["Properties"]["Code"]
    assert properties["Code"] == code


def test_a_versioned_bucket_is_versioned_from_its_first_object_on(aws: Any) -> None:
    versioning = {"VersioningConfiguration": {"Status": "Enabled"}}
    ids = create(B={"Type": "AWS::S3::Bucket", "Properties": versioning})
    written = boto3.client("s3").put_object(Bucket=ids["B"], Key="k", Body=b"x")
    assert written["VersionId"]


def test_the_configuration_document_is_copied_and_its_version_is_told(aws: Any) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="assets")
    s3.put_object(Bucket="assets", Key="1.json", Body=b"{}")
    call = (
        '{"service":"S3","action":"copyObject","parameters":{"Bucket":"',
        {"Ref": "B"},
        '","Key":"configuration.json","CopySource":"assets/1.json"}}',
    )
    versioning = {"VersioningConfiguration": {"Status": "Enabled"}}
    ids = create(
        B={"Type": "AWS::S3::Bucket", "Properties": versioning},
        Copy={
            "Type": "Custom::Configuration",
            "Properties": {"ServiceToken": "f", "Create": {"Fn::Join": ["", list(call)]}},
        },
        Topic={
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": {"Fn::GetAtt": ["Copy", "VersionId"]}},
        },
    )
    shown = boto3.client("sns").get_topic_attributes(TopicArn=ids["Topic"])["Attributes"]
    copy = s3.get_object(Bucket=ids["B"], Key="configuration.json", VersionId=shown["DisplayName"])
    assert copy["Body"].read() == b"{}"
