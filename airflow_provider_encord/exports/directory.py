"""The directory of an export: who owns it, which files in it are ours, and the only code that removes any.

Airflow runs things twice and at the same time: a zombie beside its retry, two logical dates with one destination, a
part of an old plan after a new one was made. Object stores have no locks. So these rules make such a process harmless:

- ``plan.json`` names the owner by the id of its plan. It is written only to take the directory. A process acts only
  while the file still has the id of its own plan, and looks again before each step.
- Before it takes the directory, a process announces itself in ``plan-<plan>.json``. So the last process that takes it
  knows all the others, and may remove files that they leave late.
- Every other file has the plan's id in its name, and a random part if several attempts may write it. So no process
  opens a file that another one has written.
- A file is removed only if ``plan.json`` or ``manifest.json`` of an export name it, or the id in its name. A directory
  with any other file is refused.
- The manifest is written last and removed first.
- Where the disk has locks, steps that look and then act are one step for the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

from airflow_provider_encord.attempts import remove
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.exports.file_names import (
    MANIFEST,
    PLAN,
    is_announcement,
    is_finished,
    is_of,
    is_plan_file,
    plan_file,
    plan_of,
    short,
)
from airflow_provider_encord.storage_paths import StoragePath, locked, size_and_version, storage_errors, write_whole

KIND: Literal["encord export plan"] = "encord export plan"
MOST_REPLACED = 100
"""How many earlier plans a directory remembers, so that files which their processes leave late are known as ours."""
_MOST_TRIES = 3


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
    """What ``plan.json`` says about the directory, and ``plan-<plan>.json`` about one that is to own it.

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


class _Survey(msgspec.Struct, Generic[M], frozen=True, kw_only=True):
    """What is in a directory.

    :param names: Of all files.
    :param manifest: Of the whole export that is there.
    :param plans: Ids of all plans that the directory is known to have had.
    :param foreign: Names of files that are not of an export.
    """

    names: Sequence[str]
    manifest: M | None
    plans: Sequence[str]
    foreign: Sequence[str]


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
        with locked(self.path):
            return self._survey().manifest

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
            raise self._replaced()

    def _replaced(self) -> ReplacedError:
        return ReplacedError(
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
        with locked(self.path):
            claim = self._announce_and_claim(plan, fingerprint)
            self._remove_manifest({*claim.replaces, None})
            self._remove([name for name in claim.removes if name != MANIFEST])
        return claim

    def _announce_and_claim(self, plan: str, fingerprint: str | None) -> Claim:
        found = self._survey()
        claim = Claim(
            kind=KIND,
            id=plan,
            replaces=found.plans,
            removes=[name for name in found.names if name != PLAN],
            fingerprint=fingerprint,
        )
        self._write_claim(plan_file(plan), claim)
        self._write_claim(PLAN, claim)
        while late := self._late(claim):
            self.require_owner(plan)
            ids = [plan_of(name) or "" for name in late]
            claim = msgspec.structs.replace(
                claim, replaces=_latest([*claim.replaces, *ids]), removes=[*claim.removes, *late]
            )
            self._write_claim(PLAN, claim)
        self.require_owner(plan)
        return claim

    def _late(self, claim: Claim) -> list[str]:
        """Files of other exports that came after we looked: another process has claimed the directory meanwhile."""
        names = (name for name in self._names() if name not in claim.removes and plan_of(name))
        return [name for name in names if plan_of(name) != short(claim.id)]

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
        names = (name for name in self._names() if name.startswith(start) and plan_of(name))
        return [name for name in names if is_finished(name)]

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

        :raises FinishedError: Another process has written it.
        :raises ReplacedError: The plan does not own the directory any more; there is no manifest of it then.
        """
        with locked(self.path):
            self.write(plan, MANIFEST, content)
            claim = self.claim()
            if claim is not None and claim.id != plan:  # without a lock: taken within the last moment
                self._remove_manifest([plan])
                self.require_owner(plan)

    def finish(self, plan: str, keep: Callable[[], Collection[str]]) -> None:
        """Remove what is not needed once there is a manifest: the plan first, then files of this and earlier plans.

        :param keep: Names of files to keep; asked after the plan is gone, so no try begins another file.
        """
        with locked(self.path):
            self._finish(plan, keep)

    def tidy(self, keep: Callable[[str], Collection[str]] = lambda _: ()) -> None:
        """Do what is left of `finish` if a process was killed in it: the manifest is there, and other files are, too.

        :param keep: Takes the id of the plan that was carried out; gives names of files to keep beside the manifest's.
        """
        with locked(self.path):
            manifest, claim = self.manifest(), self.claim()
            if manifest is None or manifest.plan_id is None or (claim is not None and claim.id != manifest.plan_id):
                return
            plan = manifest.plan_id
            self._finish(plan, keep=lambda: {*manifest.file_names, *keep(plan)})
            self._remove_leftovers([plan, *manifest.replaces], {*manifest.file_names, *keep(plan)})

    def _finish(self, plan: str, keep: Callable[[], Collection[str]]) -> None:
        claim = self.claim()
        if claim is not None and claim.id == plan:
            self._remove([PLAN])
            self._remove_leftovers([plan, *claim.replaces], keep())

    def discard(self, name: str) -> None:
        """Remove a file that this process has written and that nothing names."""
        self._remove([name])

    def _survey(self) -> _Survey[M]:
        """Look at what is there.

        :raises InvalidArgumentError: A file is not of an export.
        """
        for _ in range(_MOST_TRIES):  # another process may change what is there between two looks
            found = self._look()
            if not found.foreign:
                return found
        more = f" and {len(found.foreign) - 3} more" if len(found.foreign) > 3 else ""
        raise InvalidArgumentError(
            f"destination: {self.path} holds other things ({', '.join(found.foreign[:3])}{more}). An export needs a "
            "directory of its own: name an empty one, such as a subdirectory for each run."
        )

    def _look(self) -> _Survey[M]:
        names = self._names()
        claim = self.claim()  # first: who finishes writes the manifest before the plan goes
        manifest = self.manifest()
        plans: list[str] = []
        known = {MANIFEST, PLAN}
        if manifest is not None:
            plans += [*manifest.replaces, *([manifest.plan_id] if manifest.plan_id else [])]
            known.update(manifest.file_names)
        for claimed in (*([claim] if claim else []), *self._announced_in(names)):
            plans += [*claimed.replaces, claimed.id]
            known.update(claimed.removes)
        ids = {short(plan) for plan in plans}
        return _Survey(
            names=names,
            manifest=manifest,
            plans=_latest(plans),
            foreign=[name for name in names if not (name in known or is_of(name, ids) or is_announcement(name))],
        )

    def _announced_in(self, names: Iterable[str]) -> Iterator[Claim]:
        """What the files of plans say, without those that are gone or of something else."""
        for name in filter(is_plan_file, names):
            with contextlib.suppress(*NOT_JSON):
                claim = _CLAIM.decode(self.content(name) or b"")
                if plan_file(claim.id) == name:
                    yield claim

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
        """Remove the files of these plans, and of plans that were announced and never took the directory."""
        kept, names = {MANIFEST, PLAN, *keep}, self._names()
        ids = {short(plan) for plan in (*plans, *(claim.id for claim in self._announced_in(names)))}
        self._remove([name for name in names if name not in kept and is_of(name, ids)])

    def _write_claim(self, name: str, claim: Claim) -> None:
        with storage_errors("destination", self.path):
            write_whole(self.path / name, [msgspec.json.encode(claim), b"\n"])

    def _remove(self, names: Iterable[str]) -> None:
        with storage_errors("destination", self.path):
            for name in names:
                remove(self.path / name)

    def _remove_manifest(self, plans: Collection[str | None]) -> None:
        """Remove the manifest if it is of one of these plans; None stands for one that names no plan."""
        there = self.manifest()
        if there is not None and (there.plan_id and short(there.plan_id)) in {plan and short(plan) for plan in plans}:
            self._remove([MANIFEST])


def _latest(plans: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(plans))[-MOST_REPLACED:]
