"""The record of a training set, ``training_set.json``: what it was made of, and what is in it. It is written last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

SCHEMA_VERSION = "1.0"
RECORD = "training_set.json"
LEFT_OUT = "left_out.jsonl"
SPLITS = "splits.jsonl"
CARD, PAGE = "README.md", "card.html"
KIND: Literal["training_set"] = "training_set"


class SplitCounts(msgspec.Struct, kw_only=True):
    """What is in a split.

    :param objects: Number of labels of each class.
    """

    images: int = 0
    empty_images: int = 0
    objects: dict[str, int] = {}


class TrainingSet(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a training set.

    :param kind: ``"training_set"``.
    :param format: Name of the form.
    :param project_id: The project of the labels.
    :param labels: URI of the export.
    :param watermark: The latest edit of the labels, in Encord's format; null without any.
    :param branch: The label branch; null for all branches.
    :param classes: The classes, in the order of their numbers.
    :param splits: What is in each split.
    :param left_out: Number of labels that are not in the training set, by reason. `LEFT_OUT` lists them.
    :param files: Number of files, without this one.
    :param bytes: Their size.
    :param filters: The filters that were set, by argument.
    :param stratify_by: What the splits have in equal shares; None without. `SPLITS` then lists the splits.
    :param image_sizes: Number of images by the power of two, in pixels, from which their longer side is.
    :param box_sizes: Number of boxes by the power of two from which the side of a square with the same area is.
    :param fingerprint: Hash of the labels, the media and the arguments. If it is equal, the training set is equal.
    """

    schema_version: str
    kind: Literal["training_set"]
    provider_version: str
    format: str
    project_id: str
    labels: str
    watermark: str | None
    branch: str | None
    classes: Sequence[str]
    class_map: Mapping[str, Any]
    split: Mapping[str, float]
    split_by: str
    splits: Mapping[str, SplitCounts]
    left_out: Mapping[str, int]
    files: int
    bytes: int
    fingerprint: str
    filters: Mapping[str, Any] = {}
    stratify_by: str | None = None
    image_sizes: Mapping[int, int] = {}
    box_sizes: Mapping[int, int] = {}

    @property
    def images(self) -> int:
        """The number of images in all splits."""
        return sum(counts.images for counts in self.splits.values())

    @property
    def objects(self) -> int:
        """The number of labels in all splits."""
        return sum(sum(counts.objects.values()) for counts in self.splits.values())
