"""An object store for tests: objects that a process keeps, and a file system of fsspec for them which answers from what
it listed last, as that of S3 does. So each process must ask the store itself for what another one did.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import sys
from collections.abc import Iterator
from multiprocessing.managers import BaseManager
from typing import Any

import fsspec
from fsspec.spec import AbstractFileSystem

WRITES = "tests.object_store.writes"
"""An audit event: this process is about to write or delete the object whose key is the first argument."""


class Objects:
    """The content of a store, by key."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        self._objects[key] = content

    def get(self, key: str) -> bytes | None:
        return self._objects.get(key)

    def delete(self, key: str) -> None:
        self._objects.pop(key, None)

    def below(self, prefix: str) -> list[tuple[str, int, str]]:
        """Key, size and version of each object whose key has the prefix."""
        there = sorted(self._objects.items())
        return [(key, len(content), _version(content)) for key, content in there if key.startswith(prefix)]

    def look(self, key: str) -> tuple[int, str] | None:
        """Size and version of an object; None if it is not there."""
        content = self.get(key)
        return None if content is None else (len(content), _version(content))


class _Manager(BaseManager):
    """Gives other processes the objects that its own process keeps."""


_OBJECTS = Objects()
_Manager.register("objects", callable=lambda: _OBJECTS, exposed=("put", "get", "delete", "below", "look"))


class Served:
    """How to reach the objects of another process.

    :param address: Of its socket.
    :param secret: Without it, the process answers nothing.
    """

    def __init__(self, address: Any, secret: bytes):
        self._address, self._secret = address, secret

    def connect(self) -> Objects:
        """The objects, for this process alone: a connection must not be shared with a fork."""
        manager = _Manager(self._address, self._secret)
        manager.connect()
        objects: Objects = manager.objects()  # type: ignore[attr-defined]  # made by `register`
        return objects


@contextlib.contextmanager
def served() -> Iterator[Served]:
    """An empty store in a process of its own."""
    manager = _Manager()
    with manager:
        yield Served(manager.address, bytes(manager._authkey))  # type: ignore[attr-defined]


class ObjectStore(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The file system of one process. Its listings stay until it writes or deletes below that directory itself.
    `attach_store` makes a class of it for each store, as fsspec makes the instances.
    """

    protocol = "objects"
    _objects: Objects

    def ls(self, path: str, detail: bool = True, **_: Any) -> Any:
        path = _key(self, path)
        if path not in self.dircache:
            found = _children(self._objects.below(f"{path}/" if path else ""), path)
            if not found and path:
                found = [one for one in self.ls(self._parent(path)) if one["name"] == path and one["type"] == "file"]
                if not found:
                    raise FileNotFoundError(path)
                return found if detail else [path]
            self.dircache[path] = found
        return self.dircache[path] if detail else [one["name"] for one in self.dircache[path]]

    def info(self, path: str, **_: Any) -> Any:
        path = _key(self, path)
        if not path:
            return _directory(path)
        known = self._ls_from_cache(path)
        if known is not None:
            return next((one for one in known if one["name"] == path), _directory(path))
        there = self._objects.look(path)
        if there is not None:
            return _file(path, *there)
        if self._objects.below(f"{path}/"):
            return _directory(path)
        raise FileNotFoundError(path)

    def invalidate_cache(self, path: str | None = None) -> None:
        if path is None:
            self.dircache.clear()
            return
        path = _key(self, path)
        while path:
            self.dircache.pop(path, None)
            path = self._parent(path)
        self.dircache.pop("", None)

    def rm_file(self, path: str) -> None:
        """Delete an object. As in S3, it is not an error if it is not there."""
        path = _key(self, path)
        sys.audit(WRITES, path)
        self.invalidate_cache(path)
        self._objects.delete(path)

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        content = self._objects.get(_key(self, path1))
        if content is None:
            raise FileNotFoundError(path1)
        self.write(_key(self, path2), content)

    def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Nothing: a directory is the prefix of an object."""

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Nothing, as `mkdir`."""

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        path = _key(self, path)
        if mode == "wb":
            return _Written(self, path)
        if mode != "rb":
            raise ValueError(f"mode {mode}")
        known = self.info(path)
        content = self._objects.get(path)
        if content is None:
            raise FileNotFoundError(path)
        if _version(content) != known["ETag"]:
            raise OSError(16, "The file has changed since it was listed.")
        return io.BytesIO(content)

    def write(self, path: str, content: bytes) -> None:
        """Make an object, whole."""
        sys.audit(WRITES, path)
        self._objects.put(path, content)
        self.invalidate_cache(path)


_KINDS: dict[str, type[ObjectStore]] = {}


def attach_store(objects: Objects, protocol: str = ObjectStore.protocol) -> None:
    """Let paths with this protocol lead to a store, by a file system that has listed nothing yet."""
    from airflow.sdk.io import attach

    kind: Any = _KINDS.get(protocol)
    if kind is None:  # Airflow and fsspec keep what they learned of a protocol first
        kind = _KINDS[protocol] = type(protocol, (ObjectStore,), {"protocol": protocol})
        fsspec.register_implementation(protocol, kind)
        attach(protocol=protocol, fs=kind())
    kind._objects = objects
    kind().invalidate_cache()


def attach_memory() -> None:
    """Let paths of ``memory://`` lead to a file system in memory, whatever another test did with such paths."""
    try:
        from airflow.sdk.io import attach
    except ImportError:  # Airflow 2.11
        from airflow.io.store import attach

    # Given to `attach`, it would not replace an earlier one.
    attach(protocol="memory").fs = fsspec.filesystem("memory")


class _Written(io.BytesIO):
    """A file that becomes an object when it is closed."""

    def __init__(self, store: ObjectStore, path: str):
        super().__init__()
        self._store, self._path = store, path

    def close(self) -> None:
        if not self.closed:
            self._store.write(self._path, self.getvalue())
        super().close()


def _key(store: ObjectStore, path: str) -> str:
    return str(store._strip_protocol(path)).strip("/")


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _file(name: str, size: int, version: str) -> dict[str, Any]:
    return {"name": name, "size": size, "type": "file", "ETag": version}


def _directory(name: str) -> dict[str, Any]:
    return {"name": name, "size": 0, "type": "directory"}


def _children(objects: list[tuple[str, int, str]], path: str) -> list[dict[str, Any]]:
    start = len(path) + 1 if path else 0
    found: dict[str, dict[str, Any]] = {}
    for key, size, version in objects:
        name, below, _ = key[start:].partition("/")
        full = key[:start] + name
        found[full] = _directory(full) if below else _file(full, size, version)
    return list(found.values())
