"""The frames of a video or image, read one after the other from a copy of the file. Needs the extra ``frames``.

This module is imported while DAGs are parsed, so it imports PyAV only when frames are read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

IMAGE = "image"
WITH_FRAMES = (IMAGE, "video", "imageSequence")
"""The types of storage items that have frames, if Encord has one file for them."""

_SIDEWAYS = 90


class FramesError(Exception):
    """A file cannot be decoded. The message names the file and the frame."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a video, or an image.

    :param number: The number of the frame as in labels: from 0, in the order in which frames are shown.
    :param image: The pixels as an array of NumPy: height, width, and red, green, blue from 0 to 255.
    """

    number: int
    image: NDArray[numpy.uint8]

    def __repr__(self) -> str:
        height, width, _ = self.image.shape
        return f"Frame({self.number}, {width}x{height})"


class Frames:
    """The frames of a video; of an image, exactly one. Iterate over it to get a `Frame` after the other.

    A frame is decoded when the loop reaches it, and none is kept: memory does not depend on the length of the video.
    Each loop begins with frame 0 and reads the file again. When the function has returned, frames cannot be read any
    more. Frames are turned as the file says, so that they have the width and height to which labels refer.

    :param path: The file.
    :param name: What the file is called in messages.
    :param single: Whether it is an image, of which only the first frame counts.
    :param size: Width and height as Encord states them, if it does.
    :param wanted: Which frames to return, by number; the others are decoded and skipped. Default: all.
    """

    def __init__(
        self,
        path: pathlib.Path,
        name: str,
        *,
        single: bool = False,
        size: tuple[int | None, int | None] = (None, None),
        wanted: Callable[[int], bool] | None = None,
    ):
        self._path, self._name, self._single, self._size = path, name, single, size
        self._wanted = wanted
        self._open: list[contextlib.ExitStack] = []
        self._closed = False

    def __repr__(self) -> str:
        return f"Frames({self._name!r})"

    def __iter__(self) -> Iterator[Frame]:
        if self._closed:
            raise self._too_late()
        return self._frames()

    def close(self) -> None:
        """Close the file, also in loops that were left early."""
        self._closed = True
        while self._open:
            self._open.pop().close()

    def _frames(self) -> Iterator[Frame]:
        import av

        number = 0
        with contextlib.ExitStack() as stack:
            self._open.append(stack)
            try:
                # A file and not its name: FFmpeg would take some names for addresses, or for patterns of several files.
                file = stack.enter_context(self._path.open("rb"))
                container: Any = stack.enter_context(av.open(file))
                if not container.streams.video:
                    raise FramesError(f"{self._name}: it has no pictures")
                for frame in container.decode(video=0):
                    if self._wanted is None or self._wanted(number):
                        yield Frame(number, self._image(frame))
                    number += 1
                    if self._closed:
                        raise self._too_late()
                    if self._single:
                        return
            except (av.FFmpegError, OSError) as error:
                raise FramesError(f"{self._name}: frame {number} cannot be decoded ({error.strerror})") from None
            finally:
                if stack in self._open:
                    self._open.remove(stack)
            if not number:
                raise FramesError(f"{self._name}: it has no frames")

    def _too_late(self) -> FramesError:
        return FramesError(f"{self._name}: its frames can only be read while the function runs")

    def _image(self, frame: Any) -> NDArray[numpy.uint8]:
        import numpy

        image = frame.to_ndarray(format="rgb24")
        turns = round(frame.rotation / _SIDEWAYS)
        if turns % 2 and self._size == (frame.width, frame.height):
            turns = 0  # Encord shows it as it is stored
        return numpy.ascontiguousarray(numpy.rot90(image, turns)) if turns % 4 else image


def require_frames(what: str, *, extra: str = "frames", modules: Sequence[str] = ("av", "numpy")) -> None:
    """Check that the extra is installed that reads frames.

    :param what: Who asks for frames, as the beginning of the message.
    :raises InvalidArgumentError: It is not.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            raise InvalidArgumentError(
                f"{what}, which needs {module}, and it is not installed. Install it with "
                f"`pip install 'airflow-provider-encord[{extra}]'`."
            ) from None
