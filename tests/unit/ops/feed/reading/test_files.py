"""The files of a feed: folders, archives, and the order in which they were sent."""

import gzip
import zipfile
from datetime import timedelta
from pathlib import Path

from ops.feed.reading.files import feed_files, in_order_of_sending
from tests.support.feeds import START, message


def contents(paths: tuple[Path, ...]) -> list[bytes]:
    found = []
    for file in in_order_of_sending(feed_files(paths)):
        with file.open() as stream:
            found.append(stream.read())
    return found


def at(minutes: int) -> bytes:
    return message("A01", START + timedelta(minutes=minutes), minutes, minutes)


def test_files_are_numbered_by_their_names_with_numbers_in_their_order(tmp_path: Path) -> None:
    for name in ("adt10.hl7", "adt9.hl7", "adt1.hl7", ".hidden"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "adt2").mkdir()
    (tmp_path / "adt2" / "a.hl7").write_bytes(b"x")
    found = feed_files((tmp_path,))
    assert [file.path.name for file in found] == ["adt1.hl7", "a.hl7", "adt9.hl7", "adt10.hl7"]
    assert [file.number for file in found] == [1, 2, 3, 4]


def test_files_are_read_in_the_order_of_their_first_msh_7(tmp_path: Path) -> None:
    for name, minutes in (("c", 1), ("a", 3), ("b", 2)):
        (tmp_path / f"{name}.hl7").write_bytes(at(minutes))
    assert contents((tmp_path,)) == [at(1), at(2), at(3)]


def test_compressed_files_and_members_of_archives_are_read(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.hl7.gz", "wb") as stream:
        stream.write(at(1))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("2.hl7", at(2))
        archive.writestr("folder/3.hl7", at(3))
    assert contents((tmp_path,)) == [at(1), at(2), at(3)]


def test_the_name_of_a_file_is_in_no_text_about_it(tmp_path: Path) -> None:
    (tmp_path / "OKAFOR_H00412.hl7").write_bytes(at(1))
    assert "OKAFOR" not in repr(feed_files((tmp_path,)))
