"""Variables and egress rules with which LookupIdentities reaches an external MPI or provider directory."""

from aws_cdk import aws_ec2 as ec2

from environments import MpiSection


def mpi_variables(mpi: MpiSection) -> dict[str, str]:
    """Returns the function's environment variables, without ENS_MPI_CLIENT."""
    return {
        "ENS_MPI_SETTINGS": mpi.settings_json(),
        "ENS_PROVIDER_DIRECTORY": mpi.providers,
        **({"ENS_MPI_SECRET": mpi.secret_arn} if mpi.secret_arn else {}),
    }


def allow_egress_to_mpi(group: ec2.SecurityGroup, mpi: MpiSection) -> None:
    """Adds egress rules for the MPI's networks and ports to the functions' security group."""
    for network in mpi.networks:
        for port in ports(mpi):
            group.add_egress_rule(
                ec2.Peer.ipv4(network), ec2.Port.tcp(port), "to the master patient index"
            )


def ports(mpi: MpiSection) -> list[int]:
    """Returns `port`, and those of PIX manager and PDQ supplier where the settings name others."""
    actors = [mpi.settings, mpi.settings.get("pix", {}), mpi.settings.get("pdq", {})]
    return sorted({mpi.port, *(actor["port"] for actor in actors if "port" in actor)})
