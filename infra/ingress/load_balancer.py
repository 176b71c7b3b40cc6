"""The internal load balancer for MLLP. Only the senders' networks may connect."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from environments import Environment, Network
from infra.accepted_findings import accept

MLLP = 17000
HEALTH = 17001
# Time between SIGTERM and SIGKILL, for a task to answer the messages in flight (Fargate: at most 120 s).
DRAIN = cdk.Duration.seconds(120)
# MLLP connections may be idle for hours. 6,000 s is the maximum of a TCP listener.
IDLE = cdk.Duration.seconds(6000)


class LoadBalancer(Construct):
    """A Network Load Balancer with a security group, one listener and one target group."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        network: Network,
        vpc: ec2.IVpc,
        tasks: ec2.SecurityGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self._certificate = environment.receiver.certificate_arn
        self._group = group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description="The load balancer: MLLP from the networks of senders",
            allow_all_outbound=False,
        )
        for cidr in network.sender_networks:
            group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(MLLP), "MLLP from senders")
        for port, purpose in ((MLLP, "MLLP"), (HEALTH, "health check")):
            group.add_egress_rule(tasks, ec2.Port.tcp(port), purpose)
            tasks.add_ingress_rule(group, ec2.Port.tcp(port), purpose)
        self.balancer = elb.NetworkLoadBalancer(
            self,
            "Balancer",
            load_balancer_name=f"{environment.prefix}-receiver",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            internet_facing=False,
            security_groups=[group],
            cross_zone_enabled=True,
            deletion_protection=environment.deletion_protection,
        )
        unlogged = (
            "A network load balancer logs TLS listeners alone, and not what goes through them; the"
            " VPC's flow logs hold every connection, the audit every message."
        )
        accept(self.balancer, {"CKV_AWS_91": unlogged})
        accept(
            self,
            {
                "AwsSolutions-ELB2": unlogged,
                "HIPAA.Security-ELBLoggingEnabled": unlogged,
                "HIPAA.Security-ELBDeletionProtectionEnabled": "As the environment's"
                " deletion_protection says; on in prod.",
                "HIPAA.Security-ELBv2ACMCertificateRequired": "TLS with receiver.certificate_arn;"
                " without it MLLP is plain TCP in the VPN.",
            },
        )

    def admit(self, client: ec2.SecurityGroup, purpose: str) -> None:
        """Allows connections on MLLP's port from a security group of the VPC."""
        client.add_egress_rule(self._group, ec2.Port.tcp(MLLP), purpose)
        self._group.add_ingress_rule(client, ec2.Port.tcp(MLLP), purpose)

    def send_to(self, target: ecs.FargateService) -> elb.NetworkTargetGroup:
        """Adds the listener and its target group for the service. Returns the target group."""
        receivers = elb.NetworkTargetGroup(
            self,
            "Receivers",
            vpc=self.balancer.vpc,
            port=MLLP,
            protocol=elb.Protocol.TCP,
            target_type=elb.TargetType.IP,
            targets=[target],
            preserve_client_ip=True,
            deregistration_delay=DRAIN,
            connection_termination=True,
            health_check=elb.HealthCheck(
                protocol=elb.Protocol.HTTP,
                port=str(HEALTH),
                path="/live",
                interval=cdk.Duration.seconds(10),
                timeout=cdk.Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )
        # TLS if the environment has a certificate. Its idle timeout is fixed: 350 s.
        tls = bool(self._certificate)
        self.balancer.add_listener(
            "Mllp",
            port=MLLP,
            protocol=elb.Protocol.TLS if tls else elb.Protocol.TCP,
            certificates=[elb.ListenerCertificate.from_arn(self._certificate)] if tls else None,
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS if tls else None,
            tcp_idle_timeout=None if tls else IDLE,
            default_target_groups=[receivers],
        )
        return receivers
