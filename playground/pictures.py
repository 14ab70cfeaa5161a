"""Pictures of streets, drawn from a number, and where the cars and people on them are."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator

from demo.environment import png

WIDTH, HEIGHT = 480, 270
_HORIZON, _ROAD = 130, 175
Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]
"""Left, top, width and height, in pixels."""
CARS: dict[str, Colour] = {"Red": (200, 45, 40), "Blue": (50, 90, 200), "White": (235, 235, 230)}
_WINDOW, _WHEEL, _COAT, _SKIN = (60, 80, 95), (25, 25, 28), (120, 60, 130), (225, 185, 150)


@dataclasses.dataclass(frozen=True)
class Street:
    """A picture.

    :param cars: The colour and place of each car.
    :param people: The place of each person.
    """

    number: int
    weather: str
    cars: tuple[tuple[str, Box], ...]
    people: tuple[Box, ...]

    @property
    def name(self) -> str:
        return f"street-{self.number + 1:02}.png"

    def png(self) -> bytes:
        """The picture as a file."""
        canvas = _Canvas(self.weather)
        for left, top, width, height in self.people:
            head = height // 4
            canvas.fill((left, top + head, width, height - head), _COAT)
            canvas.fill((left + width // 4, top, width // 2, head), _SKIN)
        for colour, box in self.cars:
            canvas.car(box, CARS[colour])
        return png(WIDTH, HEIGHT, canvas.rows())


def streets(count: int) -> list[Street]:
    """Different pictures, the same each time."""
    return [_street(number) for number in range(count)]


def _street(number: int) -> Street:
    dice = random.Random(number)
    weather = dice.choice(["Dry", "Wet", "Snow"])
    cars = tuple(_cars(dice, dice.randint(1, 3)))
    people = tuple((dice.randrange(10, WIDTH - 30), _ROAD - 45, 14, 48) for _ in range(dice.randint(0, 2)))
    return Street(number, weather, cars, people)


def _cars(dice: random.Random, count: int) -> Iterator[tuple[str, Box]]:
    """Cars beside each other, each in its part of the road."""
    part = WIDTH // count
    for place in range(count):
        width = dice.randint(80, 120)
        left = part * place + dice.randrange(part - width - 5)
        yield dice.choice(sorted(CARS)), (left, dice.randint(_ROAD, HEIGHT - 60), width, width * 2 // 5)


class _Canvas:
    """Pixels, row by row."""

    def __init__(self, weather: str) -> None:
        sky = {"Dry": (120, 175, 235), "Wet": (120, 130, 145), "Snow": (200, 210, 220)}[weather]
        verge = {"Dry": (90, 140, 70), "Wet": (70, 100, 65), "Snow": (240, 243, 247)}[weather]
        colours = [sky if y < _HORIZON else verge if y < _ROAD else (85, 85, 92) for y in range(HEIGHT)]
        self._rows = [bytearray(bytes(colour) * WIDTH) for colour in colours]

    def fill(self, box: Box, colour: Colour) -> None:
        left, top, width, height = box
        for row in self._rows[max(top, 0) : top + height]:
            row[3 * left : 3 * (left + width)] = bytes(colour) * width

    def car(self, box: Box, colour: Colour) -> None:
        left, top, width, height = box
        self.fill((left + width // 5, top, width * 3 // 5, height // 2), colour)
        self.fill((left + width // 4, top + 4, width // 2, height // 3), _WINDOW)
        self.fill((left, top + height // 2 - 2, width, height // 3 + 2), colour)
        for wheel in (left + width // 8, left + width * 5 // 8):
            self.fill((wheel, top + height * 2 // 3, width // 4, height - height * 2 // 3), _WHEEL)

    def rows(self) -> bytes:
        return b"".join(b"\0" + bytes(row) for row in self._rows)
