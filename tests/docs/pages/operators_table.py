"""The list of operators, sensors and event triggers in the README, made from their docstrings.

``python -m tests.docs.pages.operators_table`` writes it; a test checks that the one in the README is this one.
"""

from __future__ import annotations

import inspect
import re

from tests.docs.blocks import CHECKOUT
from tests.docs.pages.arguments_page import classes

README = CHECKOUT / "README.md"
_BETWEEN = re.compile(r"(?<=<!-- operators: make reference -->\n).*?(?=<!-- end -->)", re.DOTALL)


def table() -> str:
    """A row for each operator, sensor and event trigger: its name, and the first sentence of its docstring."""
    operators = [class_ for class_ in classes() if class_.__name__.endswith(("Operator", "Sensor", "EventTrigger"))]
    rows = [f"| `{class_.__name__}` | {_sentence(class_)} |" for class_ in operators]
    return "\n".join(["| operator, sensor or event trigger | |", "|---|---|", *rows, ""])


def _sentence(class_: type) -> str:
    text = " ".join((inspect.getdoc(class_) or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.) ", text)[0]


def shown(readme: str) -> str:
    """The list as a README has it.

    :raises ValueError: It has none.
    """
    found = _BETWEEN.search(readme)
    if found is None:
        raise ValueError("README.md has no list of operators.")
    return found[0]


if __name__ == "__main__":
    README.write_text(_BETWEEN.sub(lambda _: table(), README.read_text()))
