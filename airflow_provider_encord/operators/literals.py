"""Checks of arguments while the DAG is parsed, as far as they are known then."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.arguments import blank_to_none, parse_choice, parse_positive_int, parse_url


class InvalidLiteralError(AirflowFailException, ValueError):
    """An argument is wrong that has no template in it, so it is known when the DAG is parsed."""


def check_literals(**checks: tuple[Any, Callable[[Any, str], Any]]) -> None:
    """Check arguments while the DAG is parsed, as far as they are known then.

    What has a template, or comes from another task, is checked when the task runs; so is what needs an import that is
    too costly for the parsing.

    :param checks: By the name of the argument: its value, and one of the functions of `arguments`, `one_of` or `up_to`.
    :raises InvalidLiteralError: The first that is wrong; the message is that of the function.
    """
    for name, (value, check) in checks.items():
        if is_literal(value) and blank_to_none(value) is not None:
            _check_literal(value, name, check)


def check_destination(value: Any) -> None:
    """Check that a directory is named, while the DAG is parsed.

    :raises InvalidLiteralError: It is missing, empty, or relative.
    """
    if value is None:
        raise InvalidLiteralError(
            "destination: it is missing. Name the directory for the files, such as s3://bucket/labels/{{ ds }}."
        )
    if is_literal(value):
        _check_literal(value, "destination", parse_url)


def _check_literal(value: Any, name: str, check: Callable[[Any, str], Any]) -> None:
    try:
        check(value, name)
    except Exception as error:
        if type(error).__name__ != "InvalidArgumentError":  # the class itself is imported only if it is needed
            raise
        raise InvalidLiteralError(str(error)) from None


def is_literal(value: Any) -> bool:
    """Whether an argument is what the task will get: it has no template in it, and comes from no other task."""
    if isinstance(value, str):
        return not any(mark in value for mark in ("{{", "{%", "{#"))
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(is_literal, value))
    return value is None or isinstance(value, bool | int | float | datetime.date | os.PathLike)


def one_of(*choices: str) -> Callable[[Any, str], str]:
    """For `check_literals`: `parse_choice` of these."""
    return lambda value, name: parse_choice(value, name, choices)


def up_to(most: int) -> Callable[[Any, str], int]:
    """For `check_literals`: `parse_positive_int` with this bound."""
    return lambda value, name: parse_positive_int(value, name, most=most)
