"""The receiver on the machine that its image is built for: arm64, Python 3.13."""

from pathlib import Path

from tests.packages.arm64 import Arm64


def test_an_arm64_python_imports_the_receiver(receiver: Path, arm64: Arm64) -> None:
    code = (
        "import receiver.__main__, httptools, uvloop; print(uvloop.new_event_loop().is_running())"
    )
    done = arm64.run([receiver], code)
    assert done.stdout.strip() == "False", done.stderr
