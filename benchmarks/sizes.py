"""Two sizes of a measurement: the usual one, in which ratios are stable, and with ``--full`` that of ``README.md``."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple


class Sizes(NamedTuple):
    """What an argument is if it is not passed.

    :param full: What it is with ``--full``.
    """

    usual: Any
    full: Any


def parse(parser: argparse.ArgumentParser, arguments: list[str] | None = None, **sizes: Sizes) -> argparse.Namespace:
    """Parse the command line.

    :param parser: Has the arguments, without defaults for those that have two sizes.
    :param sizes: The two sizes by the name of the argument.
    """
    parser.add_argument("--full", action="store_true", help="the sizes of benchmarks/README.md; takes much longer")
    options = parser.parse_args(arguments)
    for name, size in sizes.items():
        if getattr(options, name) is None:
            setattr(options, name, size.full if options.full else size.usual)
    return options
