"""Zip and tar bundles: each member is a source of its own, `bundle.zip!logs/server.log`. Nothing is unpacked by name.

A bundle inside a bundle is not opened. What a member unpacks to is bounded, by ratio and in total.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, BinaryIO, cast

from investigator.sources.packed import DAMAGED, opener_of

#: Stands between a bundle's path and its member's.
MARK = "!"

#: Members of one bundle; and bytes that a bundle, or one compressed file, may unpack to.
MOST_MEMBERS = 10_000
MOST_BYTES = 64 * 1024**3
#: Text logs are packed 10 to 60 times smaller. From FREE_BYTES on, more than this is taken for an attack.
MOST_RATIO = 250
FREE_BYTES = 256 * 1024 * 1024

_TAR_MAGIC_AT, _TAR_MAGIC = 257, b"ustar"
_BUNDLES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
# Documents and programs that are zip files by their form.
_NOT_LOGS = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".jar", ".war", ".whl", ".apk", ".epub", ".vsix", ".xpi")
#: Unpacked tars that are kept for the next member, so that it is not searched from the beginning again.
_KEPT = 2


class BundleError(OSError):
    """A bundle or member that cannot be read: damaged, encrypted, or larger than its limits. The text tells which."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a bundle. name: as the bundle has it. location: what `open_member` and `member_stat` take."""

    name: str
    location: Path
    size_bytes: int


def looks_like_bundle(path: Path, *, named: bool) -> bool:
    """Whether `path` is a zip or tar: files that the user did not name are only opened if their name says so."""
    lower = path.name.lower()
    if lower.endswith(_NOT_LOGS) or not (named or is_bundle_name(lower)):
        return False
    try:
        with path.open("rb") as raw:
            return raw.read(4) == b"PK\x03\x04" or _is_tar(raw)
    except DAMAGED:
        return False


def is_bundle_name(name: str) -> bool:
    """Whether the name is that of a bundle."""
    return name.lower().endswith(_BUNDLES)


def _is_tar(raw: IO[bytes]) -> bool:
    raw.seek(0)
    opener = opener_of(raw.read(8))
    raw.seek(0)
    stream = raw if opener is None else opener(cast(BinaryIO, raw))
    head = b""
    while len(head) < 512 and (data := stream.read(512 - len(head))):
        head += data
    return head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + len(_TAR_MAGIC)] == _TAR_MAGIC


def members(bundle: Path) -> list[Member]:
    """The bundle's files by name; of two with one name the last, as unpacking would leave it. Raises BundleError."""
    with _guarded(bundle) as archive:
        found = {
            location_of(bundle, name): Member(name, location_of(bundle, name), size) for name, size in archive.names()
        }
    if len(found) > MOST_MEMBERS:
        raise BundleError(f"holds more than {MOST_MEMBERS:,} files; unpack it and name the logs")
    return sorted(found.values(), key=lambda member: member.name)


def location_of(bundle: Path, name: str) -> Path:
    """The place of a member, as a path that does not exist."""
    return Path(f"{bundle}{MARK}{name.replace(chr(0), '')}")


def bundle_of(location: Path) -> Path | None:
    """The bundle that a member's place lies in; None for a plain file."""
    text = str(location)
    at = text.find(MARK)
    while at >= 0:
        bundle = Path(text[:at])
        if bundle.is_file():
            return bundle if not location.is_file() else None
        at = text.find(MARK, at + 1)
    return None


@dataclass(frozen=True, slots=True)
class FileStat:
    """Bytes as they lie there (of a member: unpacked), and when the file (of a member: the bundle) was changed."""

    size_bytes: int
    modified_ns: int


def stat_of(location: Path) -> FileStat:
    """Size and age of a file or member. Raises OSError if it is not there."""
    bundle = bundle_of(location)
    stat = (bundle or location).stat()
    if bundle is None:
        return FileStat(stat.st_size, stat.st_mtime_ns)
    return FileStat(_sizes(bundle, stat.st_size, stat.st_mtime_ns).get(location, 0), stat.st_mtime_ns)


@lru_cache(maxsize=4)
def _sizes(bundle: Path, size_bytes: int, modified_ns: int) -> dict[Path, int]:
    with _guarded(bundle) as archive:
        return {location_of(bundle, name): size for name, size in archive.names()}


def open_member(bundle: Path, location: Path) -> BinaryIO:
    """The member's bytes as a stream. Raises BundleError, also later while reading."""
    archive = _guarded(bundle)
    try:
        name = next((name for name, _ in reversed(archive.names()) if location_of(bundle, name) == location), None)
        if name is None:
            raise BundleError("the bundle has no such member any more")
        return cast(BinaryIO, io.BufferedReader(_Member(archive, *archive.open(name))))
    except BaseException:
        archive.close()
        raise


class _Archive:
    """An open zip or tar."""

    def __init__(
        self,
        names: list[tuple[str, int]],
        open_: Callable[[str], tuple[IO[bytes], int]],
        close: Callable[[], None],
    ) -> None:
        self._names, self._open, self.close = names, open_, close

    def names(self) -> list[tuple[str, int]]:
        """(name, unpacked bytes) of the regular files."""
        return self._names

    def open(self, name: str) -> tuple[IO[bytes], int]:
        """The member's stream and its packed size."""
        try:
            return self._open(name)
        except (RuntimeError, NotImplementedError) as error:
            raise BundleError(f"the member cannot be unpacked ({error}); unpack it yourself") from error

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _guarded(bundle: Path) -> _Archive:
    try:
        return _zip(bundle) if zipfile.is_zipfile(bundle) else _tar(bundle)
    except (zipfile.BadZipFile, tarfile.TarError, UnicodeError, ValueError) as error:
        raise BundleError(f"the bundle is damaged ({error})") from error


def _zip(bundle: Path) -> _Archive:
    archive = zipfile.ZipFile(bundle)
    infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    if sum(info.file_size for info in infos.values()) > MOST_BYTES:
        archive.close()
        raise BundleError(f"unpacks to more than {MOST_BYTES // 1024**3} GiB; unpack it and name the logs")
    names = [(name, info.file_size) for name, info in infos.items()]
    return _Archive(names, lambda name: (archive.open(infos[name]), infos[name].compress_size), archive.close)


def _tar(bundle: Path) -> _Archive:
    plain, packed_bytes = _plain_tar(bundle)
    archive = tarfile.open(fileobj=plain, mode="r:")  # noqa: SIM115 - closed by the _Archive
    infos = {info.name: info for info in _infos(archive) if info.isreg()}
    names = [(name, info.size) for name, info in infos.items()]

    def open_(name: str) -> tuple[IO[bytes], int]:
        stream = archive.extractfile(infos[name])
        if stream is None:
            raise BundleError("the member is no file")
        # The tar as a whole was measured when it was unpacked.
        return stream, infos[name].size or packed_bytes

    return _Archive(names, open_, archive.close)


def _infos(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members up to where the tar is cut off."""
    try:
        yield from archive
    except tarfile.TarError:
        return


_unpacked: OrderedDict[tuple[str, int, int], IO[bytes]] = OrderedDict()


def _plain_tar(bundle: Path) -> tuple[IO[bytes], int]:
    """The tar without its compression, in a temporary file without a name; and the packed size."""
    stat = bundle.stat()
    with bundle.open("rb") as raw:
        opener = opener_of(raw.read(8))
    if opener is None:
        return bundle.open("rb"), stat.st_size
    key = (str(bundle), stat.st_mtime_ns, stat.st_size)
    if key not in _unpacked:
        with bundle.open("rb") as raw:
            _unpacked[key] = _unpack(opener(raw), stat.st_size)
        while len(_unpacked) > _KEPT:
            _unpacked.popitem(last=False)[1].close()
    _unpacked.move_to_end(key)
    # A reader of its own for each caller: they must not share a position.
    return cast(IO[bytes], _View(_unpacked[key])), stat.st_size


def _unpack(stream: IO[bytes], packed_bytes: int) -> IO[bytes]:
    spool = tempfile.TemporaryFile(prefix="investigator-tar-")  # noqa: SIM115 - it lives on in the cache
    try:
        for data in _pieces(stream):
            spool.write(data)
            check_size(spool.tell(), packed_bytes)
    except DAMAGED as error:
        if isinstance(error, BundleError):
            spool.close()
            raise
        # What came before the damage is read: the tar simply ends there.
    return spool


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while data := stream.read(256 * 1024):
        yield data


def check_size(unpacked_bytes: int, packed_bytes: int) -> None:
    """Raise BundleError when so much came out of so little that it cannot be a log."""
    if unpacked_bytes > MOST_BYTES:
        raise BundleError(f"unpacks to more than {MOST_BYTES // 1024**3} GiB; unpack it and name the logs")
    if unpacked_bytes > FREE_BYTES and unpacked_bytes > MOST_RATIO * max(packed_bytes, 1):
        raise BundleError(f"unpacks to more than {MOST_RATIO} times its size, as no log does; if it is one, unpack it")


class _View(io.RawIOBase):
    """An independent position in a shared file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset, whence = self._at + offset, io.SEEK_SET
        self._at = self._file.seek(offset, whence)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._at)
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Member(io.RawIOBase):
    """A member's bytes, counted against its packed size; closes the archive with itself."""

    def __init__(self, archive: _Archive, stream: IO[bytes], packed_bytes: int) -> None:
        self._archive, self._stream, self._packed = archive, stream, packed_bytes
        self._read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except (zipfile.BadZipFile, tarfile.TarError, RuntimeError, NotImplementedError) as error:
            raise BundleError(f"the member is damaged ({error})") from error
        self._read_bytes += len(data)
        check_size(self._read_bytes, self._packed)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._archive.close()
        super().close()
