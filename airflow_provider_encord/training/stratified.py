"""Splits with about the same classes in each, which stay as they are while data are added.

A split that is decided by a hash of each key alone is stable, but its shares of a rare class are left to chance. No
function of a key alone can do better: to be balanced, an assignment must look at the others, and to be stable, it must
remember what it decided. So the keys of an earlier training set keep their splits, and only new ones are assigned. Each
goes to the split that lacks most of its rarest class.
"""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.packed_lines import lines_of
from airflow_provider_encord.storage_paths import storage_errors
from airflow_provider_encord.training.record import RECORD, SPLITS, TrainingSet
from airflow_provider_encord.training.splits import Splits

_ARGUMENT = "previous"

Counts = Mapping[str, Mapping[str, int]]
"""The number of labels of each class, by key."""


class SplitLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `SPLITS`: in which split the data units with a key are.

    :param key: The data hash, or the value of the client metadata as JSON.
    """

    key: str
    split: str


_LINE = msgspec.json.Decoder(SplitLine)


class StratifiedSplits:
    """Assigns splits by the classes of all keys.

    :param splits: The shares, and the split of a key that has no samples.
    :param former: The splits of an earlier training set, by key.
    """

    def __init__(self, splits: Splits, former: Mapping[str, str]):
        self._splits, self._former = splits, former
        self._assigned: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        """The names of the splits."""
        return self._splits.names

    @property
    def fingerprint(self) -> str:
        """A hash of the earlier splits."""
        return fingerprint(former=self._former)

    def assign(self, counts: Counts) -> None:
        """Assign all keys."""
        self._assigned = assigned(counts, self._splits.shares, self._former, self._splits.seed)

    def of(self, key: str) -> str:
        """The split of all samples with this key."""
        return self._assigned.get(key) or self._former.get(key) or self._splits.of(key)

    def lines(self) -> Iterable[bytes]:
        """The lines of `SPLITS`. Keys that have no samples now keep their splits, as they may come back."""
        for key, split in sorted({**self._former, **self._assigned}.items()):
            yield msgspec.json.encode(SplitLine(key=key, split=split)) + b"\n"


def assigned(counts: Counts, shares: Mapping[str, float], former: Mapping[str, str], seed: str = "") -> dict[str, str]:
    """The split of each key. It does not depend on the order of the keys.

    :param shares: The share of each split; they add up to 1.
    :param former: Keys whose split is decided already.
    :param seed: Another seed gives another assignment of keys with the same classes.
    """
    splits = {key: former[key] for key in counts if key in former}
    lacking = _Lacking(counts, shares)
    for key, split in splits.items():
        lacking.take(split, counts[key])
    rarity = collections.Counter(name for classes in counts.values() for name in classes)
    waiting: dict[str | None, list[str]] = collections.defaultdict(list)
    for key, classes in counts.items():
        if key not in splits:
            rarest = min(classes, key=lambda name: (rarity[name], name), default=None)
            waiting[rarest].append(key)
    for name in sorted(waiting, key=lambda name: (name is None, rarity[name or ""], name or "")):
        keys = waiting[name]
        for key in sorted(keys, key=lambda key: (-counts[key].get(name or "", 0), _hash(seed, key))):
            splits[key] = lacking.most(name)
            lacking.take(splits[key], counts[key])
    return splits


class _Lacking:
    """How many labels of each class, and how many keys, a split has less than its share."""

    def __init__(self, counts: Counts, shares: Mapping[str, float]):
        totals = collections.Counter[str]()
        for classes in counts.values():
            totals.update(classes)
        self._classes = {
            split: {name: share * total for name, total in totals.items()} for split, share in shares.items()
        }
        self._keys = {split: share * len(counts) for split, share in shares.items()}

    def most(self, name: str | None) -> str:
        """The split that lacks most of a class; of several, the one that lacks most keys."""
        return max(self._keys, key=lambda split: (self._classes[split].get(name or "", 0.0), self._keys[split]))

    def take(self, split: str, classes: Mapping[str, int]) -> None:
        """Count a key for its split."""
        self._keys[split] -= 1
        for name, number in classes.items():
            self._classes[split][name] -= number


def _hash(seed: str, key: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{key}".encode()).digest()


def former_splits(path: Any, splits: Splits, split_by: str) -> dict[str, str]:
    """The splits of an earlier training set, by key.

    :param path: Path object of its record, or of its directory.
    :param splits: The splits that there are now.
    :param split_by: What is kept together now.
    :raises InvalidArgumentError: It is not a training set with `SPLITS`, or was split in another way.
    """
    directory = path.parent if path.name == RECORD else path
    record = _record(directory / RECORD)
    if record.stratify_by is None:
        raise InvalidArgumentError(
            f"{_ARGUMENT}: {path} was built without stratify_by, so it does not list its splits."
        )
    if record.split_by != split_by:
        raise InvalidArgumentError(f"{_ARGUMENT}: {path} was split by {record.split_by}, not by {split_by}.")
    found: dict[str, str] = {}
    try:
        for text in lines_of(directory / SPLITS, _ARGUMENT):
            line = _LINE.decode(text)
            found[line.key] = line.split
    except NOT_JSON:
        raise InvalidArgumentError(f"{_ARGUMENT}: {directory / SPLITS} is damaged.") from None
    unknown = sorted({*found.values()} - {*splits.names})
    if unknown:
        raise InvalidArgumentError(
            f"{_ARGUMENT}: {path} has the split {unknown[0]!r}, which `split` does not have. Data units keep their "
            "splits, so add it, or leave `previous` out."
        )
    return found


def _record(path: Any) -> TrainingSet:
    with storage_errors(_ARGUMENT, path):
        content = path.read_bytes()
    try:
        return msgspec.json.decode(content, type=TrainingSet)
    except NOT_JSON:
        raise InvalidArgumentError(f"{_ARGUMENT}: {path} is not the record of a training set.") from None
