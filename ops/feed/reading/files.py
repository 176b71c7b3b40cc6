"""Finds the files of a feed, in the order in which their messages were sent, and opens them as streams.

A file is known by its number in the sorted list: its name may hold a patient's name or number.
"""

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hl7.header import find_header
from hl7.timestamps import Times
from ops.feed.reading.cutting import ByteStream

UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""Failures of reading a file. `zipfile` raises the last two for encryption and unknown compression."""

_HEAD_BYTES = 4096
_FIRST_MSH = re.compile(rb"MSH[!-/:-@\[-`{-~]")


@dataclass(frozen=True, slots=True)
class FeedFile:
    """One file of the feed, or one member of a ZIP archive. `size` is in bytes on the disk."""

    number: int
    path: Path = field(repr=False)
    member: str = field(default="", repr=False)
    size: int = 0

    @property
    def name(self) -> str:
        """The path with the archive's member. It may identify a patient."""
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    @contextmanager
    def open(self) -> Iterator[ByteStream]:
        """The content, decompressed. Raises one of `UNREADABLE`, here or while it is read."""
        if self.path.suffix.lower() == ".zip":
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as stream:
                yield stream
        elif self.path.suffix.lower() == ".gz":
            with gzip.open(self.path) as stream:
                yield stream
        else:
            with self.path.open("rb") as stream:
                yield stream


def feed_files(paths: tuple[Path, ...]) -> list[FeedFile]:
    """The files of these paths in order: folders with everything below them, archives with their members.

    Hidden files are left out. An archive that cannot be opened is one file, which fails when it is read.
    """
    found = [
        (file, member, size)
        for path in paths
        for file in (_below(path) if path.is_dir() else [path])
        for member, size in _members(file)
    ]
    return [FeedFile(n, file, member, size) for n, (file, member, size) in enumerate(found, 1)]


def in_order_of_sending(files: list[FeedFile]) -> list[FeedFile]:
    """The files sorted by MSH-7 of their first message; those without one stay behind the one before them."""
    if len(files) < 2:
        return files  # a pipe can be read once
    keys: dict[int, str] = {}
    newest = ""
    for file in files:
        newest = _sent_at(file) or newest
        keys[file.number] = newest
    return sorted(files, key=lambda file: keys[file.number])


def _below(folder: Path) -> list[Path]:
    """The files below a folder in natural order: `adt2` before `adt10`."""
    found = (
        file
        for file in folder.rglob("*")
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(folder).parts)
    )
    return sorted(found, key=lambda file: _natural(file.relative_to(folder).as_posix()))


def _members(file: Path) -> list[tuple[str, int]]:
    try:
        if file.suffix.lower() != ".zip":
            return [("", file.stat().st_size)]
        with zipfile.ZipFile(file) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
    except UNREADABLE:
        return [("", 0)]
    entries.sort(key=lambda one: _natural(one.filename))
    return [(one.filename, one.compress_size) for one in entries]


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d{1,18})", name)
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def _sent_at(file: FeedFile) -> str:
    """MSH-7 of a file's first message on the sender's clock, in ISO 8601; "" where it cannot be read."""
    try:
        with file.open() as stream:
            head = stream.read(_HEAD_BYTES)
    except UNREADABLE:
        return ""
    found = _FIRST_MSH.search(head)
    header = find_header(head[found.start() :]) if found else None
    if header is None:
        return ""
    sent = header.sent_at.decode("latin-1")
    return Times(None, "", []).time(sent, "MSH-7")[:23]
