"""The image under test, as `.ci/image` has built and mounted it. Without it, nothing is collected."""

import os

import pytest

from tests.image.container import Image

collect_ignore_glob = [] if "ENS_IMAGE_ROOT" in os.environ else ["test_*.py"]


@pytest.fixture(scope="session")
def image() -> Image:
    """The image that `.ci/image` has mounted."""
    return Image.read(os.environ["ENS_IMAGE_ROOT"], os.environ["ENS_IMAGE_CONFIG"])
