"""Checks of arguments at DAG parsing time, if their values are known then."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.arguments import blank_to_none, parse_choice, parse_positive_int, parse_url


class InvalidLiteralError(AirflowFailException, ValueError):
    """An argument without a template is wrong, so the error is raised when the DAG is parsed."""


def check_literals(**checks: tuple[Any, Callable[[Any, str], Any]]) -> None:
    """Check arguments when the DAG is parsed, if their values are known then.

    Arguments with a template or with the output of another task are checked when the task runs. The same applies if a
    check needs an import that is too slow for DAG parsing.

    :param checks: For each argument, by name: its value, and a function of `arguments`, `one_of` or `up_to`.
    :raises InvalidLiteralError: The first wrong argument, with the message of its check.
    """
    for name, (value, check) in checks.items():
        if is_literal(value) and blank_to_none(value) is not None:
            _check_literal(value, name, check)


def check_destination(value: Any) -> None:
    """Check the argument `destination` when the DAG is parsed.

    :raises InvalidLiteralError: It is missing, empty, or relative.
    """
    if value is None:
        raise InvalidLiteralError(
            "destination: it is missing. Pass the directory for the files, such as s3://bucket/labels/{{ ds }}."
        )
    if is_literal(value):
        _check_literal(value, "destination", parse_url)


def _check_literal(value: Any, name: str, check: Callable[[Any, str], Any]) -> None:
    try:
        check(value, name)
    except Exception as error:
        if type(error).__name__ != "InvalidArgumentError":  # by name, to avoid importing the class
            raise
        raise InvalidLiteralError(str(error)) from None


def is_literal(value: Any) -> bool:
    """Whether the value is final: it contains no template and does not come from another task."""
    if isinstance(value, str):
        return not any(mark in value for mark in ("{{", "{%", "{#"))
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(is_literal, value))
    if isinstance(value, Mapping):
        return all(is_literal(part) for item in value.items() for part in item)
    return value is None or isinstance(value, bool | int | float | datetime.date | os.PathLike)


def one_of(*choices: str) -> Callable[[Any, str], str]:
    """For `check_literals`: `parse_choice` with these choices."""
    return lambda value, name: parse_choice(value, name, choices)


def up_to(most: int) -> Callable[[Any, str], int]:
    """For `check_literals`: `parse_positive_int` with this maximum."""
    return lambda value, name: parse_positive_int(value, name, most=most)
