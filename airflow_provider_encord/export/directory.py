"""The directory of an export: who owns it, which files in it are ours, and the only code that removes any.

Airflow runs things twice and at the same time: a zombie beside its retry, two logical dates with one destination, a
part of an old plan after a new one was made. Object stores have no locks. So these rules make such a process harmless:

- ``plan.json`` names the owner by the id of its plan. A process acts only while the file still has the id of its own
  plan, and looks again before each step.
- Every other file has the plan's id in its name, and a random part if several attempts may write it. So no process
  opens a file that another one has written.
- A file is removed only if ``plan.json`` or ``manifest.json`` of an export name it, or the id in its name. A directory
  with any other file is refused.
- The manifest is written last and removed first.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

from airflow_provider_encord.attempts import remove
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.storage_paths import (
    UNFINISHED_PATTERN,
    StoragePath,
    size_and_version,
    storage_errors,
    write_whole,
)

PLAN = "plan.json"
MANIFEST = "manifest.json"
KIND: Literal["encord export plan"] = "encord export plan"
MOST_REPLACED = 100
"""How many earlier plans a directory remembers, so that files which their processes leave late are known as ours."""

_UNFINISHED = re.compile(rf"(?P<name>.*?){UNFINISHED_PATTERN}")
_FILE = re.compile(r"[a-z_]+-(?P<plan>[0-9a-f]{8})(-[0-9a-f]+)*(\.[a-z0-9]+)+")


class ReplacedError(InvalidArgumentError):
    """Another export owns the directory now."""


class FinishedError(Exception):
    """Another process has finished the same plan: there is nothing left to do.

    :param manifest: Of the whole export.
    """

    def __init__(self, manifest: Any):
        super().__init__("Another process has finished this export.")
        self.manifest = manifest


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What ``plan.json`` says about the directory; the plan itself adds more.

    :param id: Of the plan that owns the directory.
    :param replaces: Ids of plans that owned it before.
    :param removes: Files that the new plan is about to remove.
    :param fingerprint: Of what the plan is for: a process that wants the same may share it.
    """

    kind: Literal["encord export plan"]
    id: str
    replaces: Sequence[str] = ()
    removes: Sequence[str] = ()
    fingerprint: str | None = None


class WholeExport(Protocol):
    """What a manifest says about its directory."""

    @property
    def plan_id(self) -> str | None:
        """Id of the plan that was carried out."""

    @property
    def fingerprint(self) -> str | None:
        """Of what the export is for; None if it is not known."""

    @property
    def replaces(self) -> Sequence[str]:
        """Ids of plans that owned the directory before."""

    @property
    def file_names(self) -> Sequence[str]:
        """The files beside the manifest."""


M = TypeVar("M", bound=WholeExport)
_CLAIM = msgspec.json.Decoder(Claim)


def file_name(stem: str, plan: str, *parts: str, suffix: str) -> str:
    """The name of a file of a plan.

    :param stem: What it holds, such as ``labels``.
    :param plan_id: Id of the plan.
    :param parts: Hexadecimal or decimal digits that distinguish files of one plan.
    """
    return "-".join([stem, short(plan), *parts]) + f".{suffix}"


def short(plan: str) -> str:
    """The part of a plan's id that is in the names of its files."""
    return plan[:8]


def new_try() -> str:
    """A random part of a name, for files that several attempts may write."""
    return secrets.token_hex(4)


class ExportDirectory(Generic[M]):
    """A directory of an export.

    :param path: It need not exist.
    :param decode: Reads the bytes of a manifest; the text names it in messages.
    """

    def __init__(self, path: StoragePath, decode: Callable[[bytes, str], M]):
        self.path = path
        self._decode = decode

    def manifest(self) -> M | None:
        """The manifest of the whole export that is there, if any.

        :raises InvalidArgumentError: It is of something else.
        """
        content = self.content(MANIFEST)
        if content is None:
            return None
        try:
            return self._decode(content, str(self.path / MANIFEST))
        except EncordError as error:
            raise InvalidArgumentError(
                f"destination: {self.path} holds something else. {error.message} Name another directory, or empty this "
                "one."
            ) from None

    def claim(self) -> Claim | None:
        """Who owns the directory; None if it has no owner.

        :raises InvalidArgumentError: ``plan.json`` is of something else.
        """
        content = self.content(PLAN)
        if content is None:
            return None
        try:
            return _CLAIM.decode(content)
        except NOT_JSON:
            raise InvalidArgumentError(
                f"destination: {self.path / PLAN} is not the plan of an export that this version can continue. Name "
                "another directory, or empty this one."
            ) from None

    def require_ours(self) -> M | None:
        """Check that an export may be written there: the directory is missing, empty, or holds only files of exports.

        :return: The manifest of the whole export that is there.
        :raises InvalidArgumentError: It is a file, or holds anything else.
        """
        return self._survey(self._names())[0]

    def owned_by(self, plan: str) -> bool:
        """Whether a plan owns the directory."""
        claim = self.claim()
        return claim is not None and claim.id == plan

    def is_shared(self, fingerprint: str) -> bool:
        """Whether what owns the directory, or is whole in it, is the same export: that of another attempt.

        :param fingerprint: See `Claim`.
        """
        owner = self.claim() or self.manifest()
        return owner is not None and owner.fingerprint == fingerprint

    def require_owner(self, plan: str) -> None:
        """Check that a plan still owns the directory, and so is still to be carried out.

        :raises FinishedError: It has been carried out.
        :raises ReplacedError: Another plan has taken the directory.
        """
        if not self.owned_by(plan):
            manifest = self.manifest()
            if manifest is not None and manifest.plan_id == plan:
                raise FinishedError(manifest)
            raise ReplacedError(
                f"destination: another export in {self.path} has replaced this one, so this one stops. Give each run a "
                "directory of its own, such as one that ends with {{ ds }} or {{ run_id }}."
            )

    def take(self, plan: str, fingerprint: str | None = None) -> Claim:
        """Make a plan the owner, and remove what earlier exports left, their manifest first.

        :param fingerprint: See `Claim`.
        :raises InvalidArgumentError: The directory holds something that is not of an export.
        :raises ReplacedError: Another plan took it at the same moment.
        """
        with storage_errors("destination", self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        names = self._names()
        claim = Claim(
            kind=KIND,
            id=plan,
            replaces=self._survey(names)[1],
            removes=[name for name in names if name != PLAN],
            fingerprint=fingerprint,
        )
        self._write_plan(claim)
        late = [name for name in self._names() if name not in names and _FILE.fullmatch(name)]
        if late:  # another process has claimed the directory since we looked
            ids = [_plan_of(name) for name in late if _plan_of(name) != short(plan)]
            claim = msgspec.structs.replace(
                claim, replaces=_latest([*claim.replaces, *ids]), removes=[*claim.removes, *late]
            )
            self._write_plan(claim)
        self.require_owner(plan)
        self._remove([MANIFEST, *claim.removes])
        return claim

    def write(self, plan: str, name: str, blocks: Iterable[bytes]) -> None:
        """Write a file of a plan; it appears whole or not at all.

        :raises FinishedError: See `require_owner`; the same for `ReplacedError`.
        """
        self.require_owner(plan)
        try:
            with storage_errors("destination", self.path):
                write_whole(self.path / name, blocks)
        except InvalidArgumentError:  # perhaps a process that finished, or a new owner, removed it while it was written
            self.require_owner(plan)
            raise

    def file_names(self, plan: str, stem: str) -> list[str]:
        """The finished files of a plan that hold one thing, without what killed processes were still writing."""
        start = f"{stem}-{short(plan)}-"
        names = (name for name in self._names() if name.startswith(start) and _FILE.fullmatch(name))
        return [name for name in names if not _UNFINISHED.fullmatch(name)]

    def content(self, name: str) -> bytes | None:
        """All of a file; None if it is gone."""
        with storage_errors("destination", self.path):
            try:
                return (self.path / name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None if it is gone."""
        with storage_errors("destination", self.path):
            try:
                return size_and_version(self.path / name)[0]
            except (FileNotFoundError, NotADirectoryError):
                return None

    def publish(self, plan: str, content: Iterable[bytes]) -> None:
        """Write the manifest of a plan.

        :raises ReplacedError: The plan does not own the directory any more; there is no manifest of it then.
        """
        self.write(plan, MANIFEST, content)
        claim = self.claim()
        if claim is not None and claim.id != plan:  # taken within the last moment: the files may be gone
            manifest = self.manifest()
            if manifest is not None and manifest.plan_id == plan:
                self._remove([MANIFEST])
            self.require_owner(plan)

    def finish(self, plan: str, keep: Callable[[], Collection[str]]) -> None:
        """Remove what is not needed once there is a manifest: the plan first, then files of this and earlier plans.

        :param keep: Names of files to keep; asked after the plan is gone, so no try begins another file.
        """
        claim = self.claim()
        if claim is None or claim.id != plan:
            return
        self._remove([PLAN])
        self._remove_leftovers([plan, *claim.replaces], keep())

    def tidy(self, keep: Callable[[str], Collection[str]] = lambda _: ()) -> None:
        """Do what is left of `finish` if a process was killed in it: the manifest is there, and other files are, too.

        :param keep: Takes the id of the plan that was carried out; gives names of files to keep beside the manifest's.
        """
        manifest, claim = self.manifest(), self.claim()
        if manifest is None or manifest.plan_id is None or (claim is not None and claim.id != manifest.plan_id):
            return
        plan = manifest.plan_id
        self.finish(plan, keep=lambda: {*manifest.file_names, *keep(plan)})
        self._remove_leftovers([plan, *manifest.replaces], {*manifest.file_names, *keep(plan)})

    def discard(self, name: str) -> None:
        """Remove a file that this process has written and that nothing names."""
        self._remove([name])

    def _survey(self, names: Sequence[str]) -> tuple[M | None, list[str]]:
        """The whole export that is there, and the ids of all plans that the directory is known to have had."""
        claim = self.claim()  # first: who finishes writes the manifest before the plan goes
        manifest = self.manifest()
        plans: list[str] = []
        known: set[str] = set()
        if manifest is not None:
            plans += [*manifest.replaces, *([manifest.plan_id] if manifest.plan_id else [])]
            known |= {MANIFEST, *manifest.file_names}
        if claim is not None:
            plans += [*claim.replaces, claim.id]
            known |= {PLAN, *claim.removes}
        self._refuse_foreign(names, known, {short(plan) for plan in plans})
        return manifest, _latest(plans)

    def _refuse_foreign(self, names: Sequence[str], known: set[str], ids: set[str]) -> None:
        foreign = [name for name in names if name not in known and not _is_of(name, ids)]
        if foreign:
            more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
            raise InvalidArgumentError(
                f"destination: {self.path} holds other things ({', '.join(foreign[:3])}{more}). An export needs a "
                "directory of its own: name an empty one, such as a subdirectory for each run."
            )

    def _names(self) -> list[str]:
        with storage_errors("destination", self.path):
            if not self.path.exists():
                return []
            if not self.path.is_dir():
                raise InvalidArgumentError(
                    f"destination: {self.path} is a file; an export needs a directory of its own."
                )
            return sorted(path.name for path in self.path.iterdir())

    def _remove_leftovers(self, plans: Iterable[str], keep: Collection[str]) -> None:
        """Remove the files of these plans that are not to be kept."""
        kept, ids = {MANIFEST, PLAN, *keep}, {*map(short, plans)}
        self._remove([name for name in self._names() if name not in kept and _is_of(name, ids)])

    def _write_plan(self, claim: Claim) -> None:
        with storage_errors("destination", self.path):
            write_whole(self.path / PLAN, [msgspec.json.encode(claim), b"\n"])

    def _remove(self, names: Iterable[str]) -> None:
        ordered = sorted(names, key=lambda name: name != MANIFEST)
        with storage_errors("destination", self.path):
            for name in ordered:
                remove(self.path / name)


def _latest(plans: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(plans))[-MOST_REPLACED:]


def _plan_of(name: str) -> str:
    matched = _FILE.fullmatch(name)
    return matched["plan"] if matched else ""


def _is_of(name: str, ids: Collection[str]) -> bool:
    """Whether a file is of one of these plans, or is what a killed process left of a plan or a manifest."""
    unfinished = _UNFINISHED.fullmatch(name)
    if unfinished:
        name = unfinished["name"]
        if name in (PLAN, MANIFEST):
            return True
    return _plan_of(name) in ids
