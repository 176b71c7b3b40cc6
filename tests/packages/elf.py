"""Reads with binutils' readelf the requirements of a compiled module on its machine."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, ...]

AARCH64 = "AArch64"
# What manylinux_2_34 (PEP 600) allows on aarch64, in the policy of auditwheel 6.8. Lambda's
# python3.13 runs on Amazon Linux 2023, which has glibc 2.34 and the libraries of GCC 11.
LIMITS: dict[str, Version] = {
    "GLIBC": (2, 34),
    "GLIBCXX": (3, 4, 29),
    "CXXABI": (1, 3, 13),
    "GCC": (11, 0),
}
LIBRARIES = frozenset(
    {
        *("ld-linux-aarch64.so.1", "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6"),
        *("libpthread.so.0", "libresolv.so.2", "librt.so.1", "libstdc++.so.6", "libutil.so.1"),
    }
)


@dataclass(frozen=True, slots=True)
class SharedLibrary:
    """A shared library's machine, the libraries it loads, and the symbol versions it asks them for."""

    machine: str
    libraries: frozenset[str]
    versions: frozenset[tuple[str, Version]]

    @classmethod
    def read(cls, path: Path) -> "SharedLibrary":
        """The module in a file. Raises `CalledProcessError` when the file is not ELF."""
        header = _readelf("--file-header", path)
        versions = _readelf("--version-info", path).partition("Version needs section")[2]
        return cls(
            machine=re.findall(r"Machine: +(.+)", header)[0],
            libraries=frozenset(re.findall(r"\(NEEDED\).*\[(.+)\]", _readelf("--dynamic", path))),
            versions=frozenset(
                (family, tuple(map(int, version.split("."))))
                for family, version in re.findall(r"Name: ([A-Z]+)_([0-9.]+) ", versions)
            ),
        )

    def problems(self) -> list[str]:
        """The reason for which Lambda's python3.13 on arm64 cannot load the module; empty when it can."""
        found = [] if self.machine == AARCH64 else [f"built for {self.machine}, not for {AARCH64}"]
        found += [f"needs {library}" for library in sorted(self.libraries - LIBRARIES)]
        for family, version in sorted(self.versions):
            limit = LIMITS.get(family)
            if limit is None or version > limit:
                found.append(f"needs {family}_{'.'.join(map(str, version))}")
        return found


def _readelf(option: str, path: Path) -> str:
    done = subprocess.run(
        ["readelf", "--wide", option, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout
