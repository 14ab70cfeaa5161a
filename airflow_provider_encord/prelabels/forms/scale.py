"""Coordinates of sources as fractions of the width and height of an image.

Models draw slightly over the edge of an image. Such coordinates are moved to the edge, and the report counts the
objects as ``clipped``. Coordinates far outside are an error, because then the unit or the image is usually wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.prelabels.features import WrongLabelsError

MARGIN = 0.05
"""How far outside of the image a coordinate may be, as a fraction of the width or height."""
_ROUNDING = 1e-6


class Scale:
    """The size of an image in the unit of the source; 1 and 1 if the unit is fractions.

    :param width: Width; None if it is not known.
    """

    def __init__(self, width: float | None, height: float | None):
        self._width, self._height = width, height
        self.clipped = False

    @property
    def size(self) -> tuple[float, float]:
        """Width and height.

        :raises WrongLabelsError: They are not known.
        """
        if not (self._width and self._height and self._width > 0 and self._height > 0):
            raise WrongLabelsError("the size of the image in pixels is not known, but it is needed")
        return self._width, self._height

    def x(self, value: Any) -> float:
        """A horizontal coordinate as a fraction.

        :raises WrongLabelsError: It is not a number, or far outside of the image.
        """
        return self._within(value, self.size[0], "width")

    def y(self, value: Any) -> float:
        """A vertical coordinate as a fraction.

        :raises WrongLabelsError: It is not a number, or far outside of the image.
        """
        return self._within(value, self.size[1], "height")

    def point(self, x: Any, y: Any) -> dict[str, float]:
        """A point.

        :raises WrongLabelsError: A coordinate is not a number, or far outside of the image.
        """
        return {"x": self.x(x), "y": self.y(y)}

    def _within(self, value: Any, whole: float, name: str) -> float:
        fraction = number(value, "coordinate") / whole
        if 0 <= fraction <= 1:
            return fraction
        if not -MARGIN <= fraction <= 1 + MARGIN:
            raise WrongLabelsError(
                f"the coordinate {value!r} is outside of the image, whose {name} is {whole:g}; check the unit and the "
                "image"
            )
        if not -_ROUNDING <= fraction <= 1 + _ROUNDING:
            self.clipped = True
        return min(1.0, max(0.0, fraction))


def number(value: Any, name: str) -> float:
    """A finite number.

    :raises WrongLabelsError: It is not one.
    """
    if not isinstance(value, bool) and isinstance(value, int | float | str):
        try:
            found = float(value)
        except (ValueError, OverflowError):
            found = math.nan
        if math.isfinite(found):
            return found
    raise WrongLabelsError(f"{name}: {str(value)[:40]!r} is not a number")


def numbers(values: Any, name: str, count: int | None = None) -> list[float]:
    """A list of numbers.

    :param count: How many there must be; None for any number.
    :raises WrongLabelsError: It is not such a list.
    """
    if not isinstance(values, Sequence) or isinstance(values, str) or (count is not None and len(values) != count):
        wanted = "numbers" if count is None else f"{count} numbers"
        raise WrongLabelsError(f"{name}: {str(values)[:40]!r} is not a list of {wanted}")
    return [number(value, name) for value in values]
