"""The receiver's container image, as a CDK asset."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

ROOT = Path(__file__).resolve().parents[2]


def receiver_image(scope: Construct, root: Path = ROOT) -> ecr_assets.DockerImageAsset:
    """The image of receiver/Dockerfile for arm64, built when the asset is published.

    The build context is the repository's root, because the image holds more than one folder.
    .dockerignore names them; the asset's hash covers these files only.
    """
    return ecr_assets.DockerImageAsset(
        scope,
        "Image",
        directory=str(root),
        file="receiver/Dockerfile",
        ignore_mode=cdk.IgnoreMode.DOCKER,
        platform=ecr_assets.Platform.LINUX_ARM64,
        display_name="receiver",
    )
