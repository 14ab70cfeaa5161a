"""The names of YOLO's classes, and the number of its keypoints: from ``data.yaml``, or one name a line in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

_YAML = ("data.yaml", "data.yml", "dataset.yaml")
_LISTS = ("classes.txt", "obj.names")
_BOX = 4
_DIMENSIONS = (2, 3)


class Classes(msgspec.Struct, frozen=True, kw_only=True):
    """The classes of a source.

    :param names: Names by number; empty if no file has them. Then the numbers are the names.
    :param file: The file with the names, for messages.
    :param keypoints: Number of keypoints of an object, and numbers of a keypoint; None if it is not known.
    """

    names: Mapping[int, str] = {}
    file: str | None = None
    keypoints: tuple[int, int] | None = None

    @property
    def pose_numbers(self) -> int | None:
        """Number of coordinates of an object with keypoints; None if it is not known."""
        return None if self.keypoints is None else _BOX + self.keypoints[0] * self.keypoints[1]

    def name_of(self, written: str) -> str:
        """The name of a class by its number.

        :raises WrongLabelsError: It is not a number, or it has no name.
        """
        try:
            number = float(written)
            whole = int(number)
        except (ValueError, OverflowError):
            number, whole = -1.0, 0
        if number != whole or whole < 0:
            raise WrongLabelsError(f"class: {written[:40]!r} is not a whole number of at least 0")
        if self.names and whole not in self.names:
            raise WrongLabelsError(f"class {whole} has no name in {self.file}")
        return self.names.get(whole, str(whole))


def classes_of(source: StoragePath) -> Classes:
    """The classes of a source, from a file in its directory or in the directory above.

    :raises InvalidArgumentError: The file cannot be read.
    """
    for directory in (source, source.parent):
        for name in (*_YAML, *_LISTS):
            path = directory / name
            with storage_errors("source", path):
                content = bytes(path.read_bytes()) if path.exists() else None
            if content is not None:
                return _of_yaml(path, content) if name in _YAML else _of_list(path, content)
    return Classes()


def _of_list(path: StoragePath, content: bytes) -> Classes:
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        raise InvalidArgumentError(f"source: {path} is not UTF-8.") from None
    return Classes(names={number: line.strip() for number, line in enumerate(lines) if line.strip()}, file=path.name)


def _of_yaml(path: StoragePath, content: bytes) -> Classes:
    import yaml  # it comes with Airflow

    try:
        given = yaml.safe_load(content)
        names = given["names"]
        pairs = enumerate(names) if isinstance(names, list) else names.items()
        known = {int(number): str(name) for number, name in pairs}
    except (yaml.YAMLError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        raise InvalidArgumentError(
            f"source: {path} has no list of classes under `names`. Correct it, or name the classes in classes.txt."
        ) from None
    return Classes(names=known, file=path.name, keypoints=_keypoints(path, given.get("kpt_shape")))


def _keypoints(path: StoragePath, shape: Any) -> tuple[int, int] | None:
    if shape is None:
        return None
    whole = isinstance(shape, list) and len(shape) == len(_DIMENSIONS) and all(type(side) is int for side in shape)
    if not whole or shape[0] < 1 or shape[1] not in _DIMENSIONS:
        raise InvalidArgumentError(f"source: kpt_shape in {path} is not a number of keypoints and 2 or 3.")
    return shape[0], shape[1]
