"""The directory of an export: its owner, and which files belong to exports. Only this module removes files.

Airflow can run several processes with one destination at the same time: a zombie and its retry, two logical dates, or a
part of an old plan after a new plan was made. Object stores have no locks. These rules make such processes harmless:

- ``plan.json`` contains the id of the plan that owns the directory. A process writes it only to take the directory. A
  process checks before each step that the file still contains the id of its own plan, and stops if not.
- Before a process takes the directory, it writes ``plan-<plan>.json``. So the last process to take the directory knows
  all others, and may remove files that they write late.
- Each other file has the id of its plan in its name, and a random part if several attempts may write it. So no process
  opens a file that another one has written.
- A file is removed only if the ``plan.json`` or ``manifest.json`` of an export lists it, or lists the plan id in its
  name. A directory with any other file is refused.
- The manifest is written last and removed first.
- On disks with locks, a check and the action after it happen under one lock.
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
from airflow_provider_encord.fresh_listings import content_now, entries_now, size_now
from airflow_provider_encord.storage_paths import StoragePath, locked, storage_errors, write_whole

KIND: Literal["encord export plan"] = "encord export plan"
MOST_REPLACED = 100
"""How many earlier plans are remembered, so that files which their processes write late are recognised."""
_MOST_TRIES = 3


class ReplacedError(InvalidArgumentError):
    """Another export has taken the directory."""


class FinishedError(Exception):
    """Another process has finished the same plan, so nothing is left to do.

    :param manifest: Manifest of the complete export.
    """

    def __init__(self, manifest: Any):
        super().__init__("Another process has finished this export.")
        self.manifest = manifest


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``plan.json`` (the owner of the directory) and ``plan-<plan>.json`` (a plan that wants to own it).

    :param id: Id of the plan.
    :param replaces: Ids of plans that owned the directory before.
    :param removes: Files that the plan is about to remove.
    :param fingerprint: Hash of what the plan exports. A process with the same fingerprint may share the plan.
    """

    kind: Literal["encord export plan"]
    id: str
    replaces: Sequence[str] = ()
    removes: Sequence[str] = ()
    fingerprint: str


class WholeExport(Protocol):
    """The part of a manifest that this module needs."""

    @property
    def plan_id(self) -> str:
        """Id of the plan of the export."""

    @property
    def fingerprint(self) -> str:
        """Hash of what was exported."""

    @property
    def replaces(self) -> Sequence[str]:
        """Ids of plans that owned the directory before."""

    @property
    def file_names(self) -> Sequence[str]:
        """The names of the other files of the export."""


M = TypeVar("M", bound=WholeExport)
_CLAIM = msgspec.json.Decoder(Claim)


class _Survey(msgspec.Struct, Generic[M], frozen=True, kw_only=True):
    """The contents of a directory.

    :param names: Names of all files.
    :param manifest: Manifest of the complete export, if there is one.
    :param plans: Ids of all known plans of the directory.
    :param foreign: Names of files that do not belong to an export.
    """

    names: Sequence[str]
    manifest: M | None
    plans: Sequence[str]
    foreign: Sequence[str]


class ExportDirectory(Generic[M]):
    """The directory of an export.

    :param path: Path of the directory, which may not exist yet.
    :param decode: Decodes the bytes of a manifest. Its second argument is the name of the manifest, for messages.
    """

    def __init__(self, path: StoragePath, decode: Callable[[bytes, str], M]):
        self.path = path
        self._decode = decode

    def manifest(self) -> M | None:
        """The manifest of the complete export in the directory, if there is one.

        :raises InvalidArgumentError: The file is not a manifest of this kind of export.
        """
        content = self.content(MANIFEST)
        if content is None:
            return None
        try:
            return self._decode(content, str(self.path / MANIFEST))
        except EncordError as error:
            raise InvalidArgumentError(
                f"destination: {self.path} contains something else. {error.message} Use another directory, or empty "
                "this one."
            ) from None

    def claim(self) -> Claim | None:
        """The claim of the directory's owner, if there is one.

        :raises InvalidArgumentError: ``plan.json`` is not the plan of an export.
        """
        content = self.content(PLAN)
        if content is None:
            return None
        try:
            return _CLAIM.decode(content)
        except NOT_JSON:
            raise InvalidArgumentError(
                f"destination: {self.path / PLAN} is not the plan of an export that this version can continue. Use "
                "another directory, or empty this one."
            ) from None

    def require_ours(self) -> M | None:
        """Check that an export may be written: the directory is missing or empty, or contains only files of exports.

        :return: The manifest of the complete export in the directory, if there is one.
        :raises InvalidArgumentError: The path is a file, or the directory contains other files.
        """
        with locked(self.path):
            return self._survey().manifest

    def owned_by(self, plan: str) -> bool:
        """Whether a plan owns the directory."""
        claim = self.claim()
        return claim is not None and claim.id == plan

    def is_shared(self, fingerprint: str) -> bool:
        """Whether the plan or the complete export in the directory is the same export, made by another attempt.

        :param fingerprint: See `Claim`.
        """
        owner = self.claim() or self.manifest()
        return owner is not None and owner.fingerprint == fingerprint

    def require_owner(self, plan: str) -> None:
        """Check that a plan still owns the directory and is not finished.

        :raises FinishedError: The plan is finished.
        :raises ReplacedError: Another plan has taken the directory.
        """
        if not self.owned_by(plan):
            manifest = self.manifest()
            if manifest is not None and manifest.plan_id == plan:
                raise FinishedError(manifest)
            raise self._replaced()

    def _replaced(self) -> ReplacedError:
        return ReplacedError(
            f"destination: another export has replaced this one in {self.path}, so this one stops. Use a separate "
            "directory for each run, such as one that ends with {{ ds }} or {{ run_id }}."
        )

    def take(self, plan: str, fingerprint: str) -> Claim:
        """Make a plan the owner of the directory, and remove the files of earlier exports, their manifest first.

        :param fingerprint: See `Claim`.
        :raises InvalidArgumentError: The directory contains files that do not belong to an export.
        :raises ReplacedError: Another plan took it at the same moment.
        """
        with storage_errors("destination", self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path):
            claim = self._announce_and_claim(plan, fingerprint)
            self._remove_manifest(claim.replaces)
            self._remove([name for name in claim.removes if name != MANIFEST])
        return claim

    def _announce_and_claim(self, plan: str, fingerprint: str) -> Claim:
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
        """Files of other exports that were written after the survey.

        They mean that another process took the directory.
        """
        names = (name for name in self._names() if name not in claim.removes and plan_of(name))
        return [name for name in names if plan_of(name) != short(claim.id)]

    def write(self, plan: str, name: str, blocks: Iterable[bytes]) -> None:
        """Write a file of a plan. Readers see the complete file or no file.

        :raises FinishedError: See `require_owner`; the same for `ReplacedError`.
        """
        self.require_owner(plan)
        try:
            with storage_errors("destination", self.path):
                write_whole(self.path / name, blocks)
        except InvalidArgumentError:  # a process that finished, or a new owner, may have removed it meanwhile
            self.require_owner(plan)
            raise

    def file_names(self, plan: str, stem: str) -> list[str]:
        """The complete files of a plan with a given stem, without files that killed processes did not finish."""
        start = f"{stem}-{short(plan)}-"
        names = (name for name in self._names() if name.startswith(start) and plan_of(name))
        return [name for name in names if is_finished(name)]

    def content(self, name: str) -> bytes | None:
        """The content of a file; None if it does not exist."""
        return content_now(self.path / name, "destination")

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None if it does not exist."""
        return size_now(self.path / name, "destination")

    def publish(self, plan: str, content: Iterable[bytes]) -> None:
        """Write the manifest of a plan.

        :raises FinishedError: Another process has written it.
        :raises ReplacedError: The plan does not own the directory any more. Its manifest does not exist then.
        """
        with locked(self.path):
            self.write(plan, MANIFEST, content)
            claim = self.claim()
            if claim is not None and claim.id != plan:  # without a lock, another plan may just have taken it
                self._remove_manifest([plan])
                self.require_owner(plan)

    def finish(self, plan: str, keep: Callable[[], Collection[str]]) -> None:
        """Remove the files that are not needed beside the manifest: the plan, then files of this and earlier plans.

        :param keep: Returns the names of files to keep. It is called after the plan is removed, because from then on no
            attempt starts another file.
        """
        with locked(self.path):
            self._finish(plan, keep)

    def tidy(self, keep: Callable[[str], Collection[str]] = lambda _: ()) -> None:
        """Complete `finish` if a process was killed while it ran, so that other files are left beside the manifest.

        :param keep: Takes the id of the finished plan, and returns the names of files to keep in addition to the
            manifest's.
        """
        with locked(self.path):
            manifest, claim = self.manifest(), self.claim()
            if manifest is None or (claim is not None and claim.id != manifest.plan_id):
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
        """Remove a file that this process has written and that no other file lists."""
        self._remove([name])

    def _survey(self) -> _Survey[M]:
        """Read the contents of the directory.

        :raises InvalidArgumentError: A file does not belong to an export.
        """
        for _ in range(_MOST_TRIES):  # another process may change the directory between two reads
            found = self._look()
            if not found.foreign:
                return found
        more = f" and {len(found.foreign) - 3} more" if len(found.foreign) > 3 else ""
        raise InvalidArgumentError(
            f"destination: {self.path} contains other files ({', '.join(found.foreign[:3])}{more}). An export needs "
            "its own directory. Use an empty one, such as a subdirectory for each run."
        )

    def _look(self) -> _Survey[M]:
        names = self._names()
        claim = self.claim()  # read first: a process that finishes writes the manifest before it removes the plan
        manifest = self.manifest()
        plans: list[str] = []
        known = {MANIFEST, PLAN}
        if manifest is not None:
            plans += [*manifest.replaces, manifest.plan_id]
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
        """The claims in the files of plans. Skips files that do not exist any more, or are something else."""
        for name in filter(is_plan_file, names):
            with contextlib.suppress(*NOT_JSON):
                claim = _CLAIM.decode(self.content(name) or b"")
                if plan_file(claim.id) == name:
                    yield claim

    def _names(self) -> list[str]:
        with storage_errors("destination", self.path):
            try:
                return sorted(path.name for path in entries_now(self.path))
            except NotADirectoryError:
                raise InvalidArgumentError(
                    f"destination: {self.path} is a file. An export needs a directory."
                ) from None

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

    def _remove_manifest(self, plans: Collection[str]) -> None:
        """Remove the manifest if it belongs to one of these plans."""
        there = self.manifest()
        if there is not None and short(there.plan_id) in {short(plan) for plan in plans}:
            self._remove([MANIFEST])


def _latest(plans: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(plans))[-MOST_REPLACED:]
