"""The page ``docs/api/operations.md``, made of the registry, the emulator's table and the recorded vectors.

``python -m tests.docs.pages.operations_page`` writes it. A registered function says what it sends only when it
is called, so each is called once with arguments made up from its annotations.
"""

from __future__ import annotations

import datetime
import enum
import inspect
import re
import types
import typing
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from airflow_provider_encord.client.api.core.data_items import IMAGE
from airflow_provider_encord.client.api.core.registry import Operation, operations
from airflow_provider_encord.client.call import API_KEY, SSH_KEY, Call, Envelope, Resource
from encord_emulator.routes import V1_OPERATIONS, V2_OPERATIONS
from tests.sdk.coverage import covered
from tests.wire.scope import replayed

PAGE = Path(__file__).parents[3] / "docs" / "api" / "operations.md"

_HEAD = """\
# Operations

Every operation that the client can call. The table is generated from the registry: run
`python -m tests.docs.pages.operations_page` after a change.

- *Call*: the function below `airflow_provider_encord.client.api`.
- *Request*: method and path of v2, query type and verb of v1.
- *Credentials*: `SSH` is a user's key, `key` an API key.
- *Changes*: whether it changes anything at Encord, and whether it may be sent again after a lost answer (with its
  default arguments: linking items with another behaviour for duplicates is sent once).
- *Emulator*: whether the emulator serves the request.
- *Vectors*: how many recorded exchanges are replayed against it.
- *SDK tests*: in which modules of `tests/sdk` the vendor's SDKs, unmodified, were seen to use it.

| Operation | Call | Request | Credentials | Changes | Emulator | Vectors | SDK tests |
|---|---|---|---|---|---|---|---|
"""

_CREDENTIALS = {SSH_KEY: "SSH", API_KEY: "key"}
_PLAIN: dict[Any, Any] = {int: 1, float: 0.5, bool: False, Any: {}, types.NoneType: None}

_SPECIAL: dict[str, dict[str, Any]] = {
    "upload.signed_urls": {"kind": IMAGE},
    "api_key.dataset.create": {"scopes": ["dataset.read"]},
    "api_key.project.create": {"scopes": ["label.read"]},
    "dataset.add_private_data start": {"items": {}},
    "storage.add_private_data start": {"items": {}},
    "dataset.data_row.edit": {"data_title": "{data_title}"},
}
"""Arguments that an annotation does not tell: what is checked, and what must be one of several."""


def sample_call(operation: Operation) -> Call[Any]:
    """A call of this operation with made-up arguments; where a text goes into its path, the path says ``{name}``."""
    hints = typing.get_type_hints(inspect.unwrap(operation.function))
    positional: list[Any] = []
    named: dict[str, Any] = dict(_SPECIAL.get(operation.name, {}))
    for name, parameter in inspect.signature(operation.function).parameters.items():
        if name in named or parameter.default is not parameter.empty or parameter.kind is parameter.VAR_KEYWORD:
            continue
        value = _sample(name, hints[name])
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = value
        else:
            positional.append(value)
    return operation.function(*positional, **named)


def _sample(name: str, type_: Any) -> Any:
    """A value that an annotation allows."""
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if origin in (typing.Union, types.UnionType):
        return _sample(name, arguments[0])
    if origin is typing.Literal:
        return arguments[0]
    if type_ is Any or type_ in _PLAIN:
        return _PLAIN[type_]
    if origin is not None and issubclass(origin, Mapping):
        return {_sample(name, arguments[0]): _sample(name, arguments[1])}
    if origin is not None and issubclass(origin, Sequence):
        return [_sample(name, arguments[0])]
    return _plain_sample(name, type_)


def _plain_sample(name: str, type_: type) -> Any:
    if type_ is str:
        return f"{{{name}}}"
    if type_ is Resource:
        return Resource("project", "{project}")
    if issubclass(type_, enum.Enum):
        return next(iter(type_))
    if issubclass(type_, datetime.datetime):
        return datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    if issubclass(type_, msgspec.Struct):
        return type_(
            **{field.name: _sample(field.name, field.type) for field in msgspec.structs.fields(type_) if field.required}
        )
    return type_()


def request_of(call: Call[Any]) -> str:
    """Method and path, or query type and verb."""
    if isinstance(call.request, Envelope):
        return f"{call.request.query_type} {call.request.verb}"
    return f"{call.request.method} {unquote(call.request.relative_path)}"


def rows_of(call: Call[Any]) -> list[str]:
    """Names of the emulator's rows for the request; empty if it does not serve it."""
    request = call.request
    if isinstance(request, Envelope):
        return [row.name for row in V1_OPERATIONS.get((request.query_type, request.verb), [])]
    path = re.sub(r"[{}]", "", unquote(request.relative_path))
    return [row.name for pattern, row in V2_OPERATIONS if row.method == request.method and pattern.fullmatch(path)]


def _sdk_tests(rows: Sequence[str]) -> str:
    seen = covered()
    modules = sorted({module.removeprefix("test_") for row in rows for module in seen.get(row, [])})
    return ", ".join(modules) or "none"


def _row(operation: Operation, vectors: int) -> str:
    call = sample_call(operation)
    function = f"{operation.function.__module__.rpartition('.')[2]}.{operation.function.__name__}"
    credentials = ", ".join(text for kind, text in _CREDENTIALS.items() if kind in call.credentials)
    changes = "no"
    if call.changes:
        changes = "yes, repeatable" if call.repeatable else "yes, sent once"
    cells = [
        f"`{operation.name}` ({operation.api})",
        f"`{function}`",
        f"`{request_of(call)}`",
        credentials,
        changes,
        "yes" if rows_of(call) else "no",
        str(vectors) if vectors else "none",
        _sdk_tests(rows_of(call)),
    ]
    return f"| {' | '.join(cells)} |\n"


def page() -> str:
    """The whole page."""
    recorded = Counter(key for _, key in replayed())
    return _HEAD + "".join(_row(operation, recorded[key]) for key, operation in sorted(operations().items()))


if __name__ == "__main__":
    PAGE.write_text(page())
