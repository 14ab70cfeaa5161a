"""State that is stored between the attempts of a task, and claims on directories that tasks share.

Airflow retries, clears and kills tasks, and two attempts can run at the same time. So an attempt can find stored state
of an attempt with other arguments. All operators use this module, which follows three rules:

1. Stored state has a fingerprint of its target, arguments and inputs. `Checkpoint` returns it only to an attempt with
   the same fingerprint. The operator deletes it when the task has ended permanently.
2. Parts are named by their content, not by their position, because entries of a source can be added or removed between
   two attempts.
3. An attempt that writes to a shared directory has a `Claim` on it, and checks the claim at every step. If another
   attempt took the claim (this process is a zombie), it stops writing.
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
from airflow_provider_encord.fresh_listings import content_now, entries_now
from airflow_provider_encord.storage_paths import UNFINISHED, is_local, plain, storage_errors, write_whole

CLAIM_SECONDS = 900.0
"""How long a claim is valid after its last renewal, in seconds, unless its owner extends it with `Claim.hold`."""

CLAIM_FILE = "claim.json"
"""Name of the claim file in the claimed directory."""

_ADVICE = (
    "Two tasks must not write to it at the same time: set max_active_tis_per_dag=1, or use a different directory for "
    "each task."
)

T = TypeVar("T")


def fingerprint(**about: Any) -> str:
    """Return a fingerprint of the target, arguments and inputs. The order of keys does not matter.

    :param about: JSON values. Values of other types are converted with `str`.
    :return: 32 hexadecimal digits, from which the values cannot be read.
    """
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Store(Protocol):
    """Stores state between attempts: Airflow's task state store (3.3), or another object with these methods."""

    def get(self, key: str) -> Any:
        """Return the stored JSON value, or None."""

    def set(self, key: str, value: Any) -> None:
        """Store a JSON value."""

    def delete(self, key: str) -> None:
        """Delete a key. A missing key is not an error."""


class FileStore:
    """Stores state in a directory on a disk or in an object store, with one file for each key.

    :param directory: A path object. The directory is created with the first value, and removed with the last.
    :param argument: Name of the operator argument for the directory, for error messages.
    """

    def __init__(self, directory: Any, argument: str):
        self._directory, self._argument = directory, argument

    def get(self, key: str) -> Any:
        """Return the stored value, or None.

        :raises InvalidArgumentError: The file is not JSON.
        """
        path = self._path(key)
        content = content_now(path, self._argument)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content)
        except NOT_JSON:
            raise InvalidArgumentError(
                f"{self._argument}: {path}, the state of an earlier attempt, is damaged. Delete the file and run the "
                "task again."
            ) from None

    def set(self, key: str, value: Any) -> None:
        """Store a value. The file is replaced as a whole."""
        path = self._path(key)
        with storage_errors(self._argument, path):
            write_whole(path, [msgspec.json.encode(value)])

    def delete(self, key: str) -> None:
        """Delete a value. If it was the last one, also delete the directory."""
        path = self._path(key)
        with storage_errors(self._argument, path):
            remove(path)
            if is_local(self._directory):
                remove_empty(self._directory)

    def _path(self, key: str) -> Any:
        return self._directory / f"{key}.json"


class Checkpoint(Generic[T]):
    """A stored value with a fingerprint.

    :param store: The store. None: the value is not stored.
    :param key: Key in the store.
    :param about: A `fingerprint`. A value with another fingerprint is ignored, and replaced by the next `save`.
    :param type_: Type of the value: a `msgspec.Struct` or a built-in type.
    """

    def __init__(self, store: Store | None, key: str, about: str, type_: type[T]):
        self._store, self._key, self._about, self._type = store, key, about, type_

    @property
    def lasting(self) -> bool:
        """Whether another attempt can read the value."""
        return self._store is not None

    def load(self) -> T | None:
        """Return the value that an earlier attempt saved with the same fingerprint, or None."""
        stored = self._store.get(self._key) if self._store else None
        if not isinstance(stored, dict) or stored.get("about") != self._about:
            return None
        try:
            return msgspec.convert(stored.get("value"), self._type)
        except msgspec.ValidationError:  # another version of this provider stored it
            return None

    def save(self, value: T) -> None:
        """Store the value."""
        if self._store:
            self._store.set(self._key, {"about": self._about, "value": msgspec.to_builtins(value)})

    def forget(self) -> None:
        """Delete the value, because the task has ended permanently."""
        if self._store:
            self._store.delete(self._key)


@dataclasses.dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a claim.

    :param task: Id of the task instance, the same for all its attempts, such as ``dag/run/task/-1``. A retry takes the
        claim of the previous attempt immediately.
    :param attempt: Random id of the attempt.
    :param process: ``host:process id`` of an owner outside of Airflow. Its claim ends with the process.
    """

    task: str
    attempt: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))
    process: str | None = None

    @classmethod
    def this_process(cls) -> Owner:
        """Return the owner for code that runs outside of Airflow."""
        process = f"{socket.gethostname()}:{os.getpid()}"
        return cls(f"process {process}", process=process)


class Claim:
    """A claim on a directory, to which only one attempt may write at a time. The claim is a file in the directory.

    Object stores have no locks. So the claim file is written and then read back, and it is read again at every step. If
    two attempts claim at the same moment, only one of them keeps the claim.

    :param path: Path object of the claim file.
    :param owner: The owner of the claim.
    :param argument: Name of the operator argument for the directory, for error messages.
    :param advice: What to do if another task has the claim, for error messages.
    :param clock: Returns seconds since 1970. Clocks of different machines are compared, so `CLAIM_SECONDS` is long.
    """

    def __init__(
        self,
        path: Any,
        owner: Owner,
        argument: str,
        *,
        advice: str = _ADVICE,
        clock: Callable[[], float] = time.time,
    ):
        self._path, self._owner, self._argument, self._clock = path, owner, argument, clock
        self._advice = advice
        self._renewed = 0.0
        self._seconds = CLAIM_SECONDS

    @property
    def owner(self) -> Owner:
        """The owner of the claim."""
        return self._owner

    def take(self) -> None:
        """Claim the directory.

        :raises InvalidArgumentError: There is a file at the path that is not a claim.
        :raises UnavailableError: Another task has a claim that has not ended.
        """
        self.require_free()
        self._seconds = CLAIM_SECONDS
        self._write()
        self.check()

    def require_free(self) -> None:
        """Check that no other task has a claim, without claiming the directory. Only reads.

        :raises EncordError: See `take`.
        """
        held = self._read(foreign=True)
        if held is not None and held.task != self._owner.task and not _has_ended(held.process):
            left = held.renewed + held.seconds - self._clock()
            if 0 < left <= held.seconds + CLAIM_SECONDS:  # if it is longer, the owner's clock is wrong
                raise UnavailableError(
                    f"{self._argument}: {self._path.parent} is in use by the task {held.task}. {self._advice} If that "
                    f"task died, its claim ends in {left:.0f} s, or when you delete {self._path}.",
                    retry_after=min(left, CLAIM_SECONDS),  # a running task releases its claim before
                )

    def check(self) -> None:
        """Check that the claim is still valid. Renew it when a quarter of its time has passed.

        :raises InvalidArgumentError: Another attempt of this task took the claim. This attempt must stop.
        :raises UnavailableError: Another task took the claim, at the same moment or after this claim had ended; or the
            claim file does not exist any more.
        """
        self._require()
        if self._seconds != CLAIM_SECONDS or self._clock() - self._renewed > CLAIM_SECONDS / 4:
            self._seconds = CLAIM_SECONDS
            self._write()

    def keep(self) -> None:
        """Call `check` if a quarter of the claim's time has passed. For long loops, where `check` would be too slow.

        :raises EncordError: See `check`.
        """
        if self._clock() - self._renewed > CLAIM_SECONDS / 4:
            self.check()

    def hold(self, seconds: float) -> None:
        """Extend the claim for a time in which the owner cannot check it, such as a deferral.

        The claim is then valid for at least `CLAIM_SECONDS`. The next `check` ends the extension. If the owner dies,
        other tasks must wait until the end of this time, so do not extend it longer than needed. A retry of the same
        task takes the claim immediately.

        :raises EncordError: See `check`.
        """
        self._require()
        self._seconds = max(seconds, CLAIM_SECONDS)
        self._write()

    def _require(self) -> None:
        held = self._read()
        if held is None:
            raise UnavailableError(
                f"{self._argument}: {self._path}, the claim file of this task, was deleted, by a user or by another "
                "attempt that ended. This attempt stops; its work so far is kept. Run the task again."
            )
        if held.attempt != self._owner.attempt:
            kind = InvalidArgumentError if held.task == self._owner.task else UnavailableError
            raise kind(
                f"{self._argument}: another attempt took over {self._path.parent} (task {held.task}), so this attempt "
                "stops. Its work so far is kept."
            )

    @property
    def stands(self) -> bool:
        """Whether this attempt still has the claim."""
        held = self._read()
        return held is not None and held.attempt == self._owner.attempt

    def release(self) -> None:
        """Delete the claim, if this attempt still has it."""
        if self.stands:
            with storage_errors(self._argument, self._path):
                remove(self._path)

    def release_left(self) -> None:
        """Delete the claim of this task, by whichever attempt: one that was killed after all its work has left it."""
        held = self._read()
        if held is not None and held.task == self._owner.task:
            with storage_errors(self._argument, self._path):
                remove(self._path)

    def _read(self, *, foreign: bool = False) -> _Held | None:
        """Read the claim file; None without a file.

        :param foreign: Raise an error for a file that is not a claim. Otherwise return None for it.
        """
        content = content_now(self._path, self._argument)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=_Held)
        except NOT_JSON:
            if foreign and content:  # an empty file is ours: a full disk leaves one
                raise InvalidArgumentError(
                    f"{self._argument}: {self._path} was not written by this provider, so it is not overwritten. Move "
                    "the file, or pass another directory."
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
                    f"{self._argument}: {self._path.parent} was removed several times by other attempts. Run the task "
                    "again."
                ) from None


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a claim file."""

    task: str
    attempt: str
    renewed: float
    process: str | None = None
    seconds: float = CLAIM_SECONDS


def is_claim(content: bytes) -> bool:
    """Whether a file is a claim. An empty file counts as one, because a full disk leaves empty claim files."""
    try:
        msgspec.json.decode(content or b"null", type=_Held | None)
    except NOT_JSON:
        return False
    return True


def _has_ended(process: str | None) -> bool:
    """Whether a process of this machine has ended. False for other machines, because that cannot be checked."""
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
    """Delete a file. It is not an error if another attempt has deleted it."""
    try:
        path.unlink()
    except FileNotFoundError:
        return


def remove_unfinished(directory: Any) -> None:
    """Delete the unfinished files that killed attempts left in a directory.

    Only an attempt with the claim on the directory may call this. Unfinished claim files are kept, because another
    attempt may be writing one.
    """
    for path in entries_now(directory):
        if path.name.endswith(UNFINISHED) and not path.name.startswith(CLAIM_FILE):
            remove(path)


def remove_empty(directory: Any) -> None:
    """Delete a directory on a disk if it is empty. It is not an error if it does not exist or is in use."""
    try:
        plain(directory).rmdir()  # `ObjectStoragePath.rmdir` would also remove the content
    except OSError:
        return
