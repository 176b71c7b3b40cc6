"""What LookupIdentities needs to reach an index or a directory outside: settings, secret, way."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from infra.grants import allow
from infra.settings import Mdm


def mdm_variables(mdm: Mdm) -> dict[str, str]:
    """What the function is told besides the backend's name."""
    return {
        "ENS_MDM_SETTINGS": mdm.settings_json(),
        "ENS_PROVIDER_BACKEND": mdm.providers,
        **({"ENS_MDM_SECRET": mdm.secret_arn} if mdm.secret_arn else {}),
    }


def mdm_grants(mdm: Mdm) -> list[iam.PolicyStatement]:
    """Reading the one secret, and opening it where its key is the account's own."""
    if not mdm.secret_arn:
        return []
    secret = allow(("secretsmanager:GetSecretValue",), [mdm.secret_arn])
    if not mdm.secret_key_arn:
        return [secret]
    key = iam.PolicyStatement(
        actions=["kms:Decrypt"],
        resources=[mdm.secret_key_arn],
        conditions={
            "StringEquals": {"kms:ViaService": f"secretsmanager.{cdk.Aws.REGION}.amazonaws.com"}
        },
    )
    return [secret, key]


def open_way(group: ec2.SecurityGroup, mdm: Mdm) -> None:
    """Lets the functions out to the index, and nowhere else."""
    for network in mdm.networks:
        group.add_egress_rule(
            ec2.Peer.ipv4(network), ec2.Port.tcp(mdm.port), "to the master patient index"
        )
