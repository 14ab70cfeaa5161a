"""The page of all arguments, made from the code: operators, sensors and triggers, what they take, and what they return.

``python -m tests.docs.pages.arguments_page`` writes it; a test checks that the page in the repository is this one.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Any

import airflow_provider_encord.operators
import airflow_provider_encord.sensors
import airflow_provider_encord.triggers
from tests.docs.blocks import DOCS

PAGE = DOCS / "reference" / "arguments.md"
_HEAD = """# Arguments

All operators, sensors and triggers, with their arguments and what the task returns (its XCom). All operators also take
the arguments of Airflow's `BaseOperator`, and all sensors those of its `BaseSensorOperator`. This page is generated
from the code (`make reference`).

"""
PIPE = r"\|"
_NAMED = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def page() -> str:
    """The whole page."""
    return _HEAD + "\n".join(_section(class_) for class_ in classes())


def classes() -> list[type]:
    """The operators, then the sensors, then the triggers, each by name."""
    operators = _public(airflow_provider_encord.operators, "Operator")
    sensors = _public(airflow_provider_encord.sensors, "Sensor")
    return [*operators, *sensors, *_public(airflow_provider_encord.triggers, "Trigger")]


def _public(package: Any, suffix: str) -> list[type]:
    prefix = f"{package.__name__}."
    modules = [importlib.import_module(one.name) for one in pkgutil.walk_packages(package.__path__, prefix)]
    found = {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__name__ == name and re.fullmatch(rf"Encord\w+{suffix}", name)
    }
    return [class_ for name, class_ in sorted(found.items()) if not name.startswith("EncordBase")]


def _section(class_: type) -> str:
    templated, meanings = set(getattr(class_, "template_fields", ())), _meanings(class_)
    module = ".".join(class_.__module__.split(".")[:3])  # from where users import it
    lines = [f"## {class_.__name__}", "", f"`from {module} import {class_.__name__}`", ""]
    lines += ["| argument | type | default | templated | meaning |", "|---|---|---|---|---|"]
    for parameter in arguments(class_):
        cells = (
            f"`{parameter.name}`",
            f"`{parameter.annotation}`",
            "required" if parameter.default is inspect.Parameter.empty else f"`{parameter.default!r}`",
            "yes" if parameter.name in templated else "no",
            meanings[parameter.name],
        )
        lines.append(f"| {' | '.join(cell.replace('|', PIPE) for cell in cells)} |")
    if (returned := _field(class_, ":return:")) is not None:
        lines += ["", f"Returns: {returned}"]
    return "\n".join(lines) + "\n"


def arguments(class_: type) -> list[inspect.Parameter]:
    """The arguments of a class and of our bases, those without a default first."""
    found: dict[str, inspect.Parameter] = {}
    for base in _ours(class_):
        if "__init__" in vars(base):
            signature = inspect.signature(inspect.unwrap(vars(base)["__init__"]))
            named = [one for one in signature.parameters.values() if one.kind in _NAMED and one.name != "self"]
            found |= {one.name: one for one in named if one.name not in found}
    required = [value for value in found.values() if value.default is inspect.Parameter.empty]
    own = [one for one in found.values() if one.default is not inspect.Parameter.empty]
    return [*required, *own]


def _ours(class_: type) -> list[type]:
    return [base for base in class_.__mro__ if base.__module__.startswith("airflow_provider_encord")]


def _meanings(class_: type) -> dict[str, str]:
    """What the docstrings say of each argument: of the class, or of the base that it refers to."""
    meanings: dict[str, str] = {}
    for base in _ours(class_):
        for name in re.findall(r":param (\w+):", inspect.getdoc(base) or ""):
            text = _field(base, f":param {name}:") or ""
            if not text.startswith("See `"):
                meanings.setdefault(name, text)
    return meanings


def _field(class_: type, field: str) -> str | None:
    """A field of the docstring, in one line of Markdown."""
    text = vars(class_).get("__doc__") or ""
    match = re.search(rf"{re.escape(field)} (.*?)(?=\n\s*:\w|\Z)", text, re.DOTALL)
    return " ".join(match[1].split()).replace("``", "`") if match else None


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
