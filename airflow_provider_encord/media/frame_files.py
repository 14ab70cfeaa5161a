"""The frames of a video as pictures; needs the extra ``media``."""

from __future__ import annotations

import array
import hashlib
import io
import pathlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.errors import RefusedError
from airflow_provider_encord.exports.formats.annotations import Annotation, annotations_of
from airflow_provider_encord.media.fetching import Fetcher, media_line, path_at
from airflow_provider_encord.media.files import MediaFile
from airflow_provider_encord.media.frames import Frame, Frames, FramesError
from airflow_provider_encord.media.layout import extension_of, frame_path
from airflow_provider_encord.media.report import MediaLine
from airflow_provider_encord.reports import CREATED, SKIPPED
from airflow_provider_encord.storage_paths import storage_errors, version_of, write_whole

_VIDEO = "video"
_QUALITY = 95  # of JPEG, in Pillow's scale, whose best useful value it is
_MIME_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_NAMED = 5


class FrameSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Which frames of a video to take.

    :param step: Every n-th frame, counted from frame 0.
    :param labelled: Only frames with labels, by data hash; None for all frames.
    """

    step: int = 1
    labelled: Mapping[str, Any] | None = None

    def of(self, data_hash: str | None) -> array.array[int] | None:
        """The numbers of the frames with labels, in order; None if all frames are wanted."""
        if self.labelled is None:
            return None
        numbers: array.array[int] = self.labelled.get(data_hash or "", array.array("I"))
        return array.array("I", (number for number in numbers if number % self.step == 0))


def labelled_frames(rows: Iterable[dict[str, Any]]) -> dict[str, array.array[int]]:
    """The frames of videos that have an object or a classification, by data hash; of all label branches together.

    :param rows: Label rows of an export.
    """
    found: dict[str, set[int]] = {}
    for row in rows:
        if row.get("data_type") == "video":
            frames = found.setdefault(str(row.get("data_hash")), set())
            frames.update(_frames_of(row))
    return {data_hash: array.array("I", sorted(frames)) for data_hash, frames in found.items()}


def _frames_of(row: dict[str, Any]) -> Iterator[int]:
    for annotation in annotations_of(row):
        if isinstance(annotation, Annotation) and annotation.place.frame is not None:
            yield annotation.place.frame


class FrameFiles:
    """Writes the frames of videos.

    :param suffix: ``"jpg"`` or ``"png"``.
    """

    def __init__(self, fetcher: Fetcher, destination: Any, selection: FrameSelection, suffix: str):
        self._fetcher, self._destination, self._selection, self._suffix = fetcher, destination, selection, suffix

    def applies_to(self, item_type: str | None) -> bool:
        """Whether it takes frames out of items of this type. An image is pulled as it is."""
        return item_type == _VIDEO

    def selection_of(self, data_hash: str | None) -> str:
        """What identifies the frames that are asked for, and how they are written."""
        numbers = self._selection.of(data_hash)
        which = None if numbers is None else list(numbers)
        return fingerprint(step=self._selection.step, labelled=which, suffix=self._suffix)

    def extract(self, file: MediaFile) -> list[MediaLine]:
        """Fetch a video and write its frames. The video itself is not kept.

        :raises EncordError: The video could not be fetched, decoded, or has not all frames that have labels.
        """
        data_hash = file.reference.data_hash
        numbers = self._selection.of(data_hash)
        if numbers is not None and not numbers:
            return [media_line(file, SKIPPED, error="it has no frames with labels")]
        if not self._fetcher.is_available(file):
            return [media_line(file, SKIPPED, error=f"Encord has no file for an item of the type {file.item_type}")]
        with tempfile.TemporaryDirectory(prefix="encord-media-") as directory:
            path = pathlib.Path(directory) / "video"
            self._fetcher.copy(file, path)
            lines = [self._written(file, frame) for frame in self._frames(file, path, numbers)]
        _require_all(file, numbers, len(lines))
        selection = self.selection_of(data_hash)
        return [msgspec.structs.replace(line, frames=len(lines), selection=selection) for line in lines]

    def _frames(self, file: MediaFile, path: pathlib.Path, numbers: array.array[int] | None) -> Iterator[Frame]:
        chosen = None if numbers is None else frozenset(numbers)
        last = None if numbers is None else numbers[-1]
        step = self._selection.step
        frames = Frames(
            path,
            file.title,
            size=(file.width, file.height),
            wanted=lambda number: number % step == 0 if chosen is None else number in chosen,
        )
        try:
            for frame in frames:
                yield frame
                if frame.number == last:
                    return
        except FramesError as error:
            raise RefusedError(f"{error}.") from None
        finally:
            frames.close()

    def _written(self, file: MediaFile, frame: Frame) -> MediaLine:
        content = self._encoded(frame)
        extension = extension_of(file.title, file.mime_type)
        relative = frame_path(self._fetcher.path_of(file), extension, frame.number, self._suffix)
        path = path_at(self._destination, relative)
        with storage_errors("destination", path):
            write_whole(path, [content], mark=self._fetcher.mark)
            version = version_of(path)
        height, width, _ = frame.image.shape
        return media_line(
            file,
            CREATED,
            frame=frame.number,
            path=relative,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            mime_type=_MIME_TYPES[self._suffix],
            width=width,
            height=height,
            version=version,
        )

    def _encoded(self, frame: Frame) -> bytes:
        from PIL import Image

        target = io.BytesIO()
        if self._suffix == "png":
            Image.fromarray(frame.image).save(target, "PNG")
        else:
            Image.fromarray(frame.image).save(target, "JPEG", quality=_QUALITY)
        return target.getvalue()


def _require_all(file: MediaFile, numbers: array.array[int] | None, found: int) -> None:
    """Check that the video has all frames that have labels."""
    if numbers is not None and found < len(numbers):
        missing = ", ".join(map(str, numbers[found : found + _NAMED]))
        raise RefusedError(
            f"{file.title}: {len(numbers) - found} of {len(numbers)} frames with labels are not in the video, such as "
            f"{missing}. It may have been replaced after it was labelled."
        )
