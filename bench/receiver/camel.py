"""The Apache Camel route: built by Maven where Maven and a JDK are present."""

import os
import shutil
import subprocess
from pathlib import Path

_PROJECT = Path(__file__).with_name("camel")
_BUILD_SECONDS = 400
JVM_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC")


def build(folder: Path) -> tuple[str, str]:
    """The class path of the route, and why there is none ("" when there is).

    Built once, into `folder`; again when its source changes.
    """
    home = folder / "camel"
    classes = f"{home / 'classes'}{os.pathsep}{home / 'lib'}/*"
    missing = [name for name in ("mvn", "javac", "java") if shutil.which(name) is None]
    if missing:
        return classes, f"no {' and no '.join(missing)} here"
    sources = [_PROJECT / "pom.xml", *_PROJECT.rglob("*.java")]
    stamp = home / "built"
    if stamp.exists() and stamp.stat().st_mtime > max(s.stat().st_mtime for s in sources):
        return classes, ""
    print("Building the Camel route with Maven ...", flush=True)
    command = [
        "mvn",
        "-B",
        "-q",
        "-f",
        str(_PROJECT / "pom.xml"),
        f"-Dbench.build={home}",
        "package",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_BUILD_SECONDS
        )
    except subprocess.TimeoutExpired:
        return classes, f"Maven took longer than {_BUILD_SECONDS} s"
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if "[ERROR]" in line]
        return classes, f"Maven cannot build it: {lines[0][:160] if lines else '?'}"
    stamp.touch()
    return classes, ""
