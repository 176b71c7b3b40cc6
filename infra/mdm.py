"""What LookupIdentities needs to reach an index or a directory outside: settings, secret, way."""

from aws_cdk import aws_ec2 as ec2

from environments import Mdm


def mdm_variables(mdm: Mdm) -> dict[str, str]:
    """What the function is told besides the backend's name."""
    return {
        "ENS_MDM_SETTINGS": mdm.settings_json(),
        "ENS_PROVIDER_BACKEND": mdm.providers,
        **({"ENS_MDM_SECRET": mdm.secret_arn} if mdm.secret_arn else {}),
    }


def open_way(group: ec2.SecurityGroup, mdm: Mdm) -> None:
    """Lets the functions out to the index, and nowhere else."""
    for network in mdm.networks:
        group.add_egress_rule(
            ec2.Peer.ipv4(network), ec2.Port.tcp(mdm.port), "to the master patient index"
        )
