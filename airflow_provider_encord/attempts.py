"""State that outlives an attempt of a task: what it is about, when it may be used, and who owns a shared place.

Airflow retries, clears, overlaps and kills tasks, so whatever an attempt stores is read by an attempt that may want
something else. Three rules follow, and all operators keep them by using this module:

1. Stored state carries a fingerprint of its target, arguments and inputs. `Checkpoint` returns it only to an attempt
   with an equal fingerprint, and the operator deletes it once the task has ended permanently.
2. Parts are named by their content, never by their position, because a source can gain or lose entries in between.
3. An attempt that writes into a shared place holds a `Claim` on it and checks the claim at every step. A process that
   lost its claim (Airflow started another attempt, and this one is a zombie) stops writing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.storage_paths import UNFINISHED, is_local, plain, storage_errors, write_whole

CLAIM_SECONDS = 900.0
"""How long a claim lasts after it was last renewed, unless its owner holds it for longer."""

CLAIM_FILE = "claim.json"
"""What the file of a claim is called, in the place that it is about."""

T = TypeVar("T")


def fingerprint(**about: Any) -> str:
    """Identify what stored state is about: equal for equal values, whatever the order of the keys.

    :param about: Target, arguments and inputs: JSON values, and whatever `str` distinguishes.
    :return: 32 hexadecimal digits. They reveal nothing of the values.
    """
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Store(Protocol):
    """Where state is kept between attempts: Airflow's task state store (3.3), or any mapping with this shape."""

    def get(self, key: str) -> Any:
        """The stored JSON value, or None."""

    def set(self, key: str, value: Any) -> None:
        """Store a JSON value."""

    def delete(self, key: str) -> None:
        """Delete a key; one that is not there is no error."""


class FileStore:
    """State in a directory of a disk or an object store, one file for each key.

    :param directory: A path object. It is created when the first value is stored, and removed with the last.
    :param argument: The operator's argument that the directory comes from; for error messages.
    """

    def __init__(self, directory: Any, argument: str):
        self._directory, self._argument = directory, argument

    def get(self, key: str) -> Any:
        """The stored value, or None.

        :raises InvalidArgumentError: The file is not JSON.
        """
        path = self._path(key)
        with storage_errors(self._argument, path):
            if not path.exists():
                return None
            content = path.read_bytes()
        try:
            return msgspec.json.decode(content)
        except NOT_JSON:
            raise InvalidArgumentError(
                f"{self._argument}: {path} holds the state of an earlier attempt and is damaged. Delete the file."
            ) from None

    def set(self, key: str, value: Any) -> None:
        """Store a value, whole or not at all."""
        path = self._path(key)
        with storage_errors(self._argument, path):
            write_whole(path, [msgspec.json.encode(value)])

    def delete(self, key: str) -> None:
        """Delete a value, and the directory if it was the last."""
        path = self._path(key)
        with storage_errors(self._argument, path):
            remove(path)
            if is_local(self._directory):
                remove_empty(self._directory)

    def _path(self, key: str) -> Any:
        return self._directory / f"{key}.json"


class Checkpoint(Generic[T]):
    """One stored value that says what it is about.

    :param store: Where it is kept. None keeps it for this attempt only.
    :param key: Its name there.
    :param about: A `fingerprint`. A value that was stored with another one is ignored, and replaced by the next `save`.
    :param type_: What the value is converted to; a `msgspec.Struct` or a built-in type.
    """

    def __init__(self, store: Store | None, key: str, about: str, type_: type[T]):
        self._store, self._key, self._about, self._type = store, key, about, type_

    @property
    def lasting(self) -> bool:
        """Whether another attempt will find the value."""
        return self._store is not None

    def load(self) -> T | None:
        """The value that an earlier attempt at the same work saved; else None."""
        stored = self._store.get(self._key) if self._store else None
        if not isinstance(stored, dict) or stored.get("about") != self._about:
            return None
        try:
            return msgspec.convert(stored.get("value"), self._type)
        except msgspec.ValidationError:  # of another version of this provider
            return None

    def save(self, value: T) -> None:
        """Store the value."""
        if self._store:
            self._store.set(self._key, {"about": self._about, "value": msgspec.to_builtins(value)})

    def forget(self) -> None:
        """Delete it: the task has ended permanently."""
        if self._store:
            self._store.delete(self._key)


@dataclasses.dataclass(frozen=True, slots=True)
class Owner:
    """Who claims a place.

    :param task: Names the task instance over all its attempts, such as ``dag/run/task/-1``. A retry takes over from
        the attempt before at once.
    :param attempt: Names one attempt; random.
    :param process: ``host:process id`` of an owner that is not a task of Airflow. Its claim ends with the process.
    """

    task: str
    attempt: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))
    process: str | None = None

    @classmethod
    def this_process(cls) -> Owner:
        """The owner outside of Airflow."""
        process = f"{socket.gethostname()}:{os.getpid()}"
        return cls(f"process {process}", process=process)


class Claim:
    """A place in storage that one attempt at a time may write into; the claim is a file in it.

    Object stores have no locks. So a claim is written and then read back, and it is read again at every step: two
    attempts that claim within the same moment do not both keep the claim.

    :param path: The claim's file; a path object.
    :param owner: Who claims.
    :param argument: The operator's argument that the place comes from; for error messages.
    :param clock: Seconds since 1970; compared between machines, so `CLAIM_SECONDS` is generous.
    """

    def __init__(self, path: Any, owner: Owner, argument: str, *, clock: Callable[[], float] = time.time):
        self._path, self._owner, self._argument, self._clock = path, owner, argument, clock
        self._renewed = 0.0
        self._seconds = CLAIM_SECONDS

    @property
    def owner(self) -> Owner:
        """Who claims."""
        return self._owner

    def take(self) -> None:
        """Claim the place.

        :raises InvalidArgumentError: The file that is there is of something else.
        :raises UnavailableError: Another task holds it, and its claim has not ended.
        """
        held = self._read(foreign=True)
        if held is not None and held.task != self._owner.task and not _has_ended(held.process):
            left = held.renewed + held.seconds - self._clock()
            if 0 < left <= held.seconds + CLAIM_SECONDS:  # later than that, its owner's clock is wrong
                raise UnavailableError(
                    f"{self._argument}: {self._path.parent} is in use by the task {held.task}. Two tasks must not "
                    f"write there at once: set max_active_tis_per_dag=1, or give each its own place. If that task "
                    f"died, its claim ends in {left:.0f} s, or when {self._path} is deleted.",
                    retry_after=min(left, CLAIM_SECONDS),  # a task that lives gives the place back before
                )
        self._seconds = CLAIM_SECONDS
        self._write()
        self.check()

    def check(self) -> None:
        """Make sure that the claim still stands; renew it when a part of its time has passed.

        :raises InvalidArgumentError: Another attempt at this task took the place over. This one must stop.
        :raises UnavailableError: Another task did, in the same moment or after this claim had ended; or the claim's
            file is gone.
        """
        self._require()
        if self._seconds != CLAIM_SECONDS or self._clock() - self._renewed > CLAIM_SECONDS / 4:
            self._seconds = CLAIM_SECONDS
            self._write()

    def keep(self) -> None:
        """As `check`, but only once a part of the claim's time has passed: for each turn of a long loop.

        :raises EncordError: As `check`.
        """
        if self._clock() - self._renewed > CLAIM_SECONDS / 4:
            self.check()

    def hold(self, seconds: float) -> None:
        """Keep the claim through a time in which the owner does not check it, such as a deferral.

        It lasts `CLAIM_SECONDS` at least. The next `check` ends the hold. An owner that dies keeps other tasks out
        until then, so hold it no longer than needed; a retry takes over at once.

        :raises EncordError: As `check`.
        """
        self._require()
        self._seconds = max(seconds, CLAIM_SECONDS)
        self._write()

    def _require(self) -> None:
        held = self._read()
        if held is None:
            raise UnavailableError(
                f"{self._argument}: {self._path} is gone, which reserved its directory for this task. Somebody "
                "deleted it, or another attempt has ended. So this one stops; what it has done is not lost. Run the "
                "task again."
            )
        if held.attempt != self._owner.attempt:
            kind = InvalidArgumentError if held.task == self._owner.task else UnavailableError
            raise kind(
                f"{self._argument}: another attempt took {self._path.parent} over (task {held.task}), so this one "
                "stops. What it has done is not lost."
            )

    @property
    def stands(self) -> bool:
        """Whether this attempt took the place and still holds it."""
        held = self._read()
        return held is not None and held.attempt == self._owner.attempt

    def release(self) -> None:
        """Give the place back, if the claim still stands."""
        if self.stands:
            with storage_errors(self._argument, self._path):
                remove(self._path)

    def _read(self, *, foreign: bool = False) -> _Held | None:
        """What the file of the claim says; None without a file.

        :param foreign: Refuse a file that is not a claim. Otherwise it counts as none.
        """
        with storage_errors(self._argument, self._path):
            try:
                content = bytes(self._path.read_bytes())
            except FileNotFoundError:
                return None
        try:
            return msgspec.json.decode(content, type=_Held)
        except NOT_JSON:
            if foreign and content:  # an empty one is what a full disk leaves of ours
                raise InvalidArgumentError(
                    f"{self._argument}: {self._path} is not a file of this provider, and is not overwritten. Move it, "
                    "or name another place."
                ) from None
            return None

    def _write(self) -> None:
        self._renewed = self._clock()
        owner = self._owner
        held = _Held(
            task=owner.task,
            attempt=owner.attempt,
            renewed=self._renewed,
            process=owner.process,
            seconds=self._seconds,
        )
        with storage_errors(self._argument, self._path):
            try:
                write_whole(self._path, [msgspec.json.encode(held)])
            except FileNotFoundError:
                raise UnavailableError(
                    f"{self._argument}: {self._path.parent} is removed again and again by other attempts. Run the task "
                    "again."
                ) from None


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the file of a claim says."""

    task: str
    attempt: str
    renewed: float
    process: str | None = None
    seconds: float = CLAIM_SECONDS


def is_claim(content: bytes) -> bool:
    """Whether the content of a file is that of a claim; so is an empty one, which a full disk leaves."""
    try:
        msgspec.json.decode(content or b"null", type=_Held | None)
    except NOT_JSON:
        return False
    return True


def _has_ended(process: str | None) -> bool:
    """Whether a process of this machine has ended; False for processes of other machines, which cannot be checked."""
    host, _, number = (process or "").rpartition(":")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def remove(path: Any) -> None:
    """Delete a file; one that another attempt deleted before is fine."""
    try:
        path.unlink()
    except FileNotFoundError:
        return


def remove_unfinished(directory: Any) -> None:
    """Delete what killed attempts left of files that they were writing.

    Only for an attempt that holds the claim on the directory. Files of claims stay: another attempt may be claiming.
    """
    for path in list(directory.iterdir()) if directory.exists() else ():
        if path.name.endswith(UNFINISHED) and not path.name.startswith(CLAIM_FILE):
            remove(path)


def remove_empty(directory: Any) -> None:
    """Delete a directory of a disk if it is empty; one that is gone, or that another attempt uses, is fine."""
    try:
        plain(directory).rmdir()  # that of `ObjectStoragePath` also removes what is in it
    except OSError:
        return
