"""The forms of training data. A form decides where images go, and writes label files. It does not copy images.

In some forms images are packed into large files. These forms read the images when all samples were added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from airflow_provider_encord.exports.formats.annotations import LeftOut
from airflow_provider_encord.training.samples import Sample


class Written(Protocol):
    """A sample in a form.

    It says where the image goes, which small files are beside it, and what was left out.
    """

    @property
    def image_paths(self) -> list[str]:
        """Paths of the image below the destination; none if the form has no use for the sample, or packs it."""

    @property
    def has_image(self) -> bool:
        """Whether the image is in the training set."""

    @property
    def files(self) -> dict[str, bytes]:
        """Small files for this sample, by path."""

    @property
    def left_out(self) -> list[LeftOut]:
        """Labels that the form cannot say."""

    @property
    def classes(self) -> list[str]:
        """The class of each label that was written."""

    @property
    def box_sizes(self) -> list[tuple[float, float]]:
        """Width and height of each box that was written, in pixels, if the form has boxes."""


class Form(Protocol):
    """Writes label files."""

    @property
    def entries(self) -> tuple[str, ...]:
        """The files and directories below the destination that belong to the form. They are removed first."""

    def add(self, sample: Sample, split: str, suffix: str) -> Written:
        """Add a sample.

        :param suffix: Suffix of the image's file, with its dot.
        """

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The files that are written when all samples were added: path and content."""


@runtime_checkable
class LooksAhead(Protocol):
    """A form that computes the objects of several samples together, which is much quicker."""

    def look_ahead(self, samples: Sequence[Sample]) -> None:
        """Compute the objects of samples that are added next, in this order."""
