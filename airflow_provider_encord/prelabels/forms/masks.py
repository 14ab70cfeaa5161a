"""PNG masks: an image for each data unit, whose pixel values are classes; needs the extra ``masks``.

The pixels of a value become one bitmask. The value 0 is the background, unless `class_map` names it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.bitmasks import MOST_PIXELS, bitmask
from airflow_provider_encord.prelabels.forms.converting import Converter
from airflow_provider_encord.prelabels.forms.files import contents_of, files_of
from airflow_provider_encord.prelabels.forms.items import Entry, Item, Wrong
from airflow_provider_encord.prelabels.forms.names import Spot, Spots
from airflow_provider_encord.prelabels.forms.scale import Scale
from airflow_provider_encord.prelabels.forms.spec import FormSpec
from airflow_provider_encord.prelabels.forms.units import Units
from airflow_provider_encord.prelabels.sources import Prelabel
from airflow_provider_encord.storage_paths import StoragePath

_SUFFIX = ".png"
_BACKGROUND = 0
_MODES = ("1", "L", "P")
"""Black and white, grey, and a palette: one value of 8 bits for each pixel."""


def mask_lines(source: StoragePath, spec: FormSpec, spots: Spots, converter: Converter) -> Iterator[Prelabel]:
    """The lines of a directory of masks, one for each data unit.

    :raises InvalidArgumentError: There are no files, or the extra is not installed.
    """
    _require_pillow()
    units = Units(
        files_of(source, (_SUFFIX,), below=True),
        lambda file: spots.find(file[0].removesuffix(_SUFFIX)),
        lambda file: file[0],
    )
    yield from units.wrong
    contents = contents_of(path for _, parts in units for (_, path), _ in parts)
    for place, parts in units:
        entries: list[Entry] = []
        size = 0
        for (name, _), spot in parts:
            content = next(contents)
            size += len(content)
            entries += _entries(name, content, spec, spot)
        yield converter.line(place, parts[0][1].row, entries, size=size)


def _entries(name: str, content: bytes, spec: FormSpec, spot: Spot) -> Iterator[Entry]:
    try:
        pixels, width, height = _pixels(content)
    except WrongLabelsError as error:
        yield Wrong(where=name, problem=str(error))
        return
    for value in sorted(set(pixels)):
        if value != _BACKGROUND or str(value) in spec.class_map:
            yield _item(name, value, pixels, (width, height), spot)


def _item(name: str, value: int, pixels: bytes, size: tuple[int, int], spot: Spot) -> Item:
    only = bytes(int(other == value) for other in range(256))
    image = (spot.width, spot.height)
    return Item(
        where=f"{name}, value {value}",
        label=str(value),
        shapes={"bitmask": lambda: bitmask(pixels.translate(only), *size, image=image)},
        scale=Scale(*size),
        frame=spot.frame,
    )


def _pixels(content: bytes) -> tuple[bytes, int, int]:
    """The values of an image, row by row, its width and its height."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if image.mode not in _MODES:
                raise WrongLabelsError(
                    f"its pixels have the mode {image.mode}, but a mask has one value of 8 bits for each pixel; "
                    "save it as a grey image, or with a palette"
                )
            if image.width * image.height > MOST_PIXELS:
                raise WrongLabelsError(f"a mask of {image.width} x {image.height} pixels is too large")
            values: Any = image.convert("L").point(bool) if image.mode == "1" else image
            return values.tobytes(), image.width, image.height
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
