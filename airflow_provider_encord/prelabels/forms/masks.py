"""PNG masks: an image for each data unit, whose pixel values are classes; needs the extra ``masks``.

The pixels of a value become one bitmask, or one polygon. The value 0 is the background, unless `class_map` names it. In
masks of 16 bits, values from 1000 on are instances, as in Cityscapes: a thousand times the class, plus the number of
the instance.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.bitmasks import MOST_PIXELS, mask_shapes
from airflow_provider_encord.prelabels.forms.converting import Converter
from airflow_provider_encord.prelabels.forms.files import files_of
from airflow_provider_encord.prelabels.forms.items import Entry, Item, Wrong
from airflow_provider_encord.prelabels.forms.names import Spot, Spots
from airflow_provider_encord.prelabels.forms.scale import Scale
from airflow_provider_encord.prelabels.forms.small_files import lines_of_small_files
from airflow_provider_encord.prelabels.forms.spec import FormSpec
from airflow_provider_encord.prelabels.sources import Prelabel
from airflow_provider_encord.storage_paths import StoragePath

_SUFFIX = ".png"
_BACKGROUND = 0
_MODES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I": 4}
"""Black and white, grey, a palette, and grey of 16 bits (as which Pillow may also read 32), with bytes per pixel."""
_INSTANCES = 1000


def mask_lines(source: StoragePath, spec: FormSpec, spots: Spots, converter: Converter) -> Iterator[Prelabel]:
    """The lines of a directory of masks, one for each data unit.

    :raises InvalidArgumentError: There are no files, or the extra is not installed.
    """
    _require_pillow()
    yield from lines_of_small_files(
        files_of(source, (_SUFFIX,), below=True),
        lambda file: spots.find(file[0].removesuffix(_SUFFIX)),
        lambda name, content, spot: _entries(name, content, spec, spot),
        converter,
    )


class _Mask(msgspec.Struct, frozen=True):
    """An image.

    :param low: The lower eight bits of each pixel, row by row.
    :param high: The higher eight bits; None if there are none.
    """

    width: int
    height: int
    low: bytes
    high: bytes | None = None

    @property
    def values(self) -> list[int]:
        """The values of its pixels, each once."""
        if self.high is None:
            return sorted(set(self.low))
        return sorted({low + 256 * high for low, high in set(zip(self.low, self.high, strict=True))})

    def pixels(self, value: int) -> bytes:
        """A byte for each pixel: 1 if it has the value, otherwise 0."""
        low = _equal(self.low, value % 256)
        if self.high is None:
            return low
        # As two large numbers, because that is far faster than byte after byte.
        both = int.from_bytes(low) & int.from_bytes(_equal(self.high, value // 256))
        return both.to_bytes(len(low))


def _equal(content: bytes, value: int) -> bytes:
    return content.translate(bytes(int(other == value) for other in range(256)))


def _entries(name: str, content: bytes, spec: FormSpec, spot: Spot) -> Iterator[Entry]:
    try:
        mask = _read(content)
    except WrongLabelsError as error:
        yield Wrong(where=name, problem=str(error))
        return
    for value in mask.values:
        if value != _BACKGROUND or str(value) in spec.class_map:
            yield _item(name, value, mask, spot)


def _item(name: str, value: int, mask: _Mask, spot: Spot) -> Item:
    image = (spot.width, spot.height)
    return Item(
        where=f"{name}, value {value}",
        label=str(value if value < _INSTANCES else value // _INSTANCES),
        shapes=mask_shapes(lambda: (mask.pixels(value), mask.width, mask.height), image),
        scale=Scale(mask.width, mask.height),
        frame=spot.frame,
    )


def _read(content: bytes) -> _Mask:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            size = _MODES.get(image.mode)
            if size is None:
                raise WrongLabelsError(
                    f"its pixels have the mode {image.mode}, but a mask has one value for each pixel; save it as a "
                    "grey image, or with a palette"
                )
            if image.width * image.height > MOST_PIXELS:
                raise WrongLabelsError(f"a mask of {image.width} x {image.height} pixels is too large")
            values: Any = image.convert("L").point(bool) if image.mode == "1" else image
            raw = values.tobytes()
            return _Mask(image.width, image.height, raw[::size], raw[1::size] if size > 1 else None)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        raise WrongLabelsError("it is not a PNG image, or it is damaged") from None


def _require_pillow() -> None:
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        raise InvalidArgumentError(
            "format: masks needs Pillow, which is not installed. Install it with "
            "`pip install 'airflow-provider-encord[masks]'`, or use another format."
        ) from None
