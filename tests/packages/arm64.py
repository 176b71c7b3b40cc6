"""An arm64 Python 3.13 on any machine: Debian's, run by QEMU."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Arm64:
    """The arm64 root file system and one of this machine's own architecture, both Debian trixie."""

    root: Path
    native: Path

    @property
    def python(self) -> Path:
        """The arm64 interpreter."""
        return self.root / "usr" / "bin" / "python3.13"

    def run(self, paths: list[Path], code: str) -> subprocess.CompletedProcess[str]:
        """Runs code with the standard library and these folders to import from."""
        program = f"import sys; sys.path += {[str(path) for path in paths]}\n{code}"
        return subprocess.run(
            [
                *("qemu-aarch64-static", "-L", str(self.root), str(self.python)),
                *("-I", "-S", "-B", "-c", program),
            ],
            # As in Lambda, so that the tracer is on and imports the modules that it patches.
            env={"LAMBDA_TASK_ROOT": str(paths[0]), "AWS_DEFAULT_REGION": "us-east-1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def compile(self, folder: Path) -> None:
        """Writes bytecode for Python 3.13, with the native interpreter: QEMU takes minutes."""
        (loader,) = (self.native / "usr" / "lib64").glob("ld-linux-*.so.*")
        (libraries,) = (self.native / "usr" / "lib").glob("*-linux-gnu")
        subprocess.run(
            [
                *(str(loader), "--library-path", str(libraries)),
                *(str(self.native / "usr" / "bin" / "python3.13"), "-S", "-m", "compileall"),
                *("-qq", "--invalidation-mode", "unchecked-hash", str(folder)),
            ],
            env={**os.environ, "PYTHONHOME": str(self.native / "usr")},
            check=True,
            timeout=300,
        )
