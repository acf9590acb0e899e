"""Where a record's files live, and the one way in which a file appears: whole, once, never overwritten.

Two stores keep the same promises (tests/contract/test_store.py): a folder, local or on NFS, and object storage
through fsspec. A name is `folder/file` or `folder/folder/file`, of letters, digits, dot, dash and underscore.
"""

import errno
import os
import re
import secrets
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, final

from sweeps.faults import fault
from sweeps.safe_yaml import SpecError

# What clients of object storage raise, by name: the packages may not be here.
CURES = {
    "NoCredentialsError": "no credentials are set; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "EndpointConnectionError": "its endpoint does not answer; look at the network and AWS_ENDPOINT_URL",
}
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,3}")


class StoreError(OSError):
    """The store cannot take or give a file: disk full, no permission, unreachable. Stopping is safe, and resumable."""


class AlreadyPublished(StoreError):
    """Another writer published this name first; nothing was changed."""


class Store(ABC):
    """A root under which files are published.

    `publish` makes a file appear with all its bytes or not at all, survives a power cut once it returns, and
    raises AlreadyPublished where the name exists: of two writers exactly one succeeds. `replace` overwrites, for
    the few names that are signs of life and not part of the record. Every method raises StoreError for what the
    store refuses, and ValueError for a name that is not one.
    """

    uri: str

    @abstractmethod
    def publish(self, name: str, data: bytes) -> None: ...

    @abstractmethod
    def publish_file(self, name: str, path: Path) -> None:
        """`publish` the contents of a local file, which may be large and is left as it is."""

    @abstractmethod
    def replace(self, name: str, data: bytes) -> None: ...

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises FileNotFoundError where there is none."""

    @abstractmethod
    def exists(self, name: str) -> bool: ...

    @abstractmethod
    def local(self, name: str, cache: Path) -> Path:
        """A local path with a file's contents: its own, or a copy made in `cache`. Raises FileNotFoundError."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Sorted names of the files directly in a folder, without the folder; none where it does not exist."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""

    @abstractmethod
    def arrow(self) -> tuple[Any, str]:
        """A pyarrow or fsspec filesystem and the root's path in it, for reading Parquet."""


def open_store(uri: str | Path) -> Store:
    """The store at a path or an fsspec URI (s3://bucket/prefix, gs://…, abfs://…). Raises SpecError for one with
    credentials in it."""
    text = str(uri)
    if "@" in text.partition("://")[2].split("/", 1)[0]:
        raise SpecError(
            f"{text.split('://', 1)[0]}://…@…: an address with credentials in it would be recorded; "
            f"credentials belong in the environment"
        )
    if "://" in text and not text.startswith("file://"):
        return ObjectStore(text.rstrip("/"))
    return FolderStore(Path(text.removeprefix("file://")))


def checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name in a record: letters, digits, '.', '-' and '_', at most four parts")
    return name


@final
class FolderStore(Store):
    """A folder. Files are written without a name, flushed to disk, and then linked to theirs.

    A process killed half-way leaves nothing behind where the filesystem has unnamed files (O_TMPFILE); elsewhere
    (NFS) it leaves a name beginning with ".", which readers skip and `sweep gc` removes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.uri = str(self.root)
        self.inode = inode(self.root)  # of the root this store is about, once there is one

    def publish(self, name: str, data: bytes) -> None:
        path = self._place(checked(name))
        with StoreErrors(self.uri, name):
            try:
                self._write(path, data)
            except FileExistsError as error:
                raise AlreadyPublished(f"{path} exists already") from error

    def publish_file(self, name: str, path: Path) -> None:
        place = self._place(checked(name))
        with StoreErrors(self.uri, name), path.open("rb") as file:
            try:
                os.fsync(file.fileno())
                os.link(path, place)
                flush_folder(place.parent)
            except FileExistsError as error:
                raise AlreadyPublished(f"{place} exists already") from error
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self.publish(name, path.read_bytes())  # another filesystem: a link cannot cross

    def replace(self, name: str, data: bytes) -> None:
        path = self._place(checked(name))
        with StoreErrors(self.uri, name):
            beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            try:
                beside.write_bytes(data)
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)

    def read(self, name: str) -> bytes:
        with StoreErrors(self.uri, name):
            return (self.root / checked(name)).read_bytes()

    def exists(self, name: str) -> bool:
        with StoreErrors(self.uri, name):
            return (self.root / checked(name)).exists()

    def local(self, name: str, cache: Path) -> Path:
        path = self.root / checked(name)
        if not path.exists():
            raise FileNotFoundError(path)
        return path

    def names(self, folder: str) -> list[str]:
        with StoreErrors(self.uri, folder):
            try:
                with os.scandir(self.root / checked(folder)) as entries:
                    return sorted(e.name for e in entries if not e.name.startswith(".") and e.is_file())
            except FileNotFoundError:
                return []

    def delete(self, name: str) -> None:
        with StoreErrors(self.uri, name):
            (self.root / checked(name)).unlink(missing_ok=True)

    def arrow(self) -> tuple[Any, str]:
        from pyarrow.fs import LocalFileSystem

        return LocalFileSystem(), self.uri

    def _place(self, name: str) -> Path:
        """The file's path, its folders made; no folder on the way may lead out of the root by a link."""
        with StoreErrors(self.uri, name):
            path = self.root / name
            known = self.inode  # before the look, since another thread may be making the root
            if known is not None and inode(self.root) != known:
                raise StoreError(
                    errno.ENOENT,
                    f"{self.root} was there when the run began, and is gone; bring it back and run the same command "
                    f"again",
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            self.inode = known or inode(self.root)
            if not path.parent.resolve().is_relative_to(self.root.resolve()):
                raise StoreError(
                    f"{path.parent} is a link that leads out of {self.root}; nothing is written through it"
                )
            return path

    def _write(self, path: Path, data: bytes) -> None:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            named: Path | None = None
            try:
                file = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o644)
            except (AttributeError, OSError) as error:
                if isinstance(error, OSError) and error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT):
                    raise
                named = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
                file = os.open(named, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            try:
                fault("publish: opened")
                view = memoryview(data)
                while view:
                    view = view[os.write(file, view) :]
                fault("publish: written")
                os.fsync(file)
                fault("publish: flushed")
                # with a folder given, Python asks linkat to follow the link in /proc to the unnamed file
                os.link(named or f"/proc/self/fd/{file}", path.name, dst_dir_fd=folder, follow_symlinks=True)
                fault("publish: linked")
            finally:
                os.close(file)
                if named:
                    named.unlink(missing_ok=True)
            os.fsync(folder)
        finally:
            os.close(folder)


def inode(folder: Path) -> int | None:
    """The number by which the filesystem knows a folder, so that another one in its place is told apart."""
    try:
        return folder.stat().st_ino
    except OSError:
        return None


def flush_folder(folder: Path) -> None:
    """A name survives a power cut once its folder is on the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@final
class ObjectStore(Store):
    """Object storage through fsspec; publishing is a PUT on the condition that the object does not exist."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        protocol = uri.split("://", 1)[0]
        try:
            import fsspec

            self.filesystem, self.path = fsspec.core.url_to_fs(uri, use_listings_cache=False)
        except ImportError as error:
            raise StoreError(f"{uri}: reading {protocol}:// needs a package that is not here: {error}") from error

    def publish(self, name: str, data: bytes) -> None:
        with StoreErrors(self.uri, name):
            try:
                fault("publish: opened")
                self.filesystem.pipe_file(self._key(name), data, mode="create")
                fault("publish: linked")
            except FileExistsError as error:
                raise AlreadyPublished(f"{self.uri}/{name} exists already") from error

    def publish_file(self, name: str, path: Path) -> None:
        with StoreErrors(self.uri, name):
            try:
                self.filesystem.put_file(str(path), self._key(name), mode="create")
            except FileExistsError as error:
                raise AlreadyPublished(f"{self.uri}/{name} exists already") from error

    def replace(self, name: str, data: bytes) -> None:
        with StoreErrors(self.uri, name):
            self.filesystem.pipe_file(self._key(name), data)

    def read(self, name: str) -> bytes:
        with StoreErrors(self.uri, name):
            return bytes(self.filesystem.cat_file(self._key(name)))

    def exists(self, name: str) -> bool:
        with StoreErrors(self.uri, name):
            return bool(self.filesystem.exists(self._key(name)))

    def local(self, name: str, cache: Path) -> Path:
        copy = cache / name
        if not copy.exists():
            with StoreErrors(self.uri, name):
                copy.parent.mkdir(parents=True, exist_ok=True)
                beside = copy.with_name(f".{copy.name}.{secrets.token_hex(4)}")
                try:
                    self.filesystem.get_file(self._key(name), str(beside))
                    beside.replace(copy)
                finally:
                    beside.unlink(missing_ok=True)
        return copy

    def names(self, folder: str) -> list[str]:
        with StoreErrors(self.uri, folder):
            try:
                listing = self.filesystem.ls(self._key(folder), detail=True)
            except FileNotFoundError:
                return []
            return sorted(e["name"].rsplit("/", 1)[1] for e in listing if e["type"] == "file")

    def delete(self, name: str) -> None:
        with StoreErrors(self.uri, name):
            try:
                self.filesystem.rm_file(self._key(name))
            except FileNotFoundError:
                return

    def arrow(self) -> tuple[Any, str]:
        return self.filesystem, self.path

    def _key(self, name: str) -> str:
        return f"{self.path}/{checked(name)}"


class StoreErrors:
    """Turns what a filesystem or client raises into a StoreError that names the file and the way out."""

    def __init__(self, uri: str, name: str) -> None:
        self.place = f"{uri}/{name}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, (StoreError, FileNotFoundError, ValueError)):
            return
        number = error.errno if isinstance(error, OSError) else None
        cure = {
            errno.ENOSPC: "no space is left; free some and run the same command again",
            errno.EDQUOT: "the quota is used up; free some space and run the same command again",
            errno.EROFS: "the filesystem is read-only; make it writable and run the same command again",
            errno.EACCES: "permission denied; make the folder writable for this user",
            errno.ENOTDIR: "a file stands where a folder should be; name a folder with --results",
            errno.EPERM: "permission denied; make the folder writable for this user",
        }.get(number or 0, CURES.get(type(error).__name__, f"{type(error).__name__}: {error}"))
        raise StoreError(number or errno.EIO, f"{self.place}: {cure}") from error
