"""Calling the function of an agent for one task."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_encord.agents.assets import local_copy
from airflow_provider_encord.agents.cache import ResultCache
from airflow_provider_encord.agents.dependencies import Dependencies
from airflow_provider_encord.agents.descriptions import described, traceback_of
from airflow_provider_encord.agents.editable import EditableLabels
from airflow_provider_encord.agents.inputs import InputReader, Prepared
from airflow_provider_encord.agents.parameters import Input, Parameters
from airflow_provider_encord.agents.results import Answer, checked
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.media.frames import IMAGE, WITH_FRAMES, Frames

log = logging.getLogger(__name__)

_TRACEBACKS = 5  # in the log; the errors of further tasks are one line each


class MissingInputError(Exception):
    """A value that the function asks for does not exist for this task."""


class _Closing(contextlib.ExitStack[None]):
    """Closes what was opened for a call. A dependency that handles the error of the function does not hide it."""

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)


class AgentFunction:
    """The user's function, with all that it needs beside a task.

    :param parameters: Its parameters.
    :param arguments: The arguments of the call of the decorated function.
    :param reader: Has what is the same for all tasks.
    :param settings: The settings of the connection, for downloads.
    :param cache: Keeps results; None without a cache.
    :param dependencies: Resolves the parameters marked with ``Depends`` of encord-agents.
    :param saves_edits: Whether labels that the function got and edited are saved although it does not return them.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        parameters: Parameters,
        arguments: Mapping[str, Any],
        *,
        reader: InputReader,
        client: EncordClient,
        cache: ResultCache | None = None,
        dependencies: Dependencies | None = None,
        saves_edits: bool = True,
    ):
        self._function, self._parameters, self._arguments = function, parameters, arguments
        self._reader, self._client, self._cache = reader, client, cache
        self._dependencies, self._saves_edits = dependencies, saves_edits
        self._failed = 0

    @property
    def is_async(self) -> bool:
        """Whether the function is a coroutine function."""
        return inspect.iscoroutinefunction(inspect.unwrap(self._function))

    def answer(self, prepared: Prepared) -> Answer:
        """Call the function. Its errors become part of the answer."""
        try:
            known = self._known(prepared)
            if known is not None:
                return known
            with _Closing() as stack:
                values = self._values(prepared, stack)
                return self._kept(prepared, values, self._function(**values, **self._arguments))
        except Exception as error:  # noqa: BLE001 - whatever a task's function raises must not cost the other tasks
            return self._failure(prepared, error)

    async def answer_async(self, prepared: Prepared) -> Answer:
        """Call the coroutine function. Files are read in threads, so that other calls go on."""
        try:
            known = await asyncio.to_thread(self._known, prepared)
            if known is not None:
                return known
            with _Closing() as stack:
                values = await asyncio.to_thread(self._values, prepared, stack)
                value = await self._function(**values, **self._arguments)
                return await asyncio.to_thread(self._kept, prepared, values, value)
        except Exception as error:  # noqa: BLE001 - see `answer`
            return self._failure(prepared, error)

    def _known(self, prepared: Prepared) -> Answer | None:
        """The answer without a call: the task is gone, an input could not be read, or the cache has the result."""
        if prepared.gone:
            return Answer(prepared)
        if prepared.problem is not None:
            return Answer(prepared, error=prepared.problem)
        stored = self._cache.load(prepared) if self._cache else None
        return None if stored is None else Answer(prepared, stored, cached=True)

    def _values(self, prepared: Prepared, stack: contextlib.ExitStack) -> dict[str, Any]:
        """The values of the parameters that are filled for each task."""
        values: dict[str, Any] = {}
        copy = functools.cache(lambda: self._copy(prepared, stack))  # one download for all parameters
        for name, wanted in self._parameters.wanted.items():
            value = self._value(wanted.input, prepared, copy, stack)
            if value is None and not wanted.optional:
                raise MissingInputError(f"{name}: Encord has no {wanted.input.value} for this task")
            values[name] = value
        return values if self._dependencies is None else {**values, **self._dependencies.values(prepared, stack)}

    def _value(
        self, wanted: Input, prepared: Prepared, copy: Callable[[], pathlib.Path | None], stack: contextlib.ExitStack
    ) -> Any:
        match wanted:
            case Input.TASK:
                return prepared.task
            case Input.PROJECT:
                return self._reader.project
            case Input.ITEM:
                return prepared.item
            case Input.URL:
                return prepared.item and prepared.item.signed_url
            case Input.ASSET:
                return copy()
            case Input.FRAMES:
                return self._frames(prepared, copy, stack)
            case Input.LABEL_ROW:
                return prepared.label_row()
            case Input.LABELS:
                return self._editable(prepared)
            case Input.SDK_ROW:
                return prepared.sdk_row
            case Input.SDK_TASK:
                return prepared.sdk_task
            case Input.SDK_STAGE:
                return self._reader.sdk.stage
            case Input.SDK_PROJECT:
                return self._reader.sdk.project
            case Input.SDK_ITEM:
                return prepared.sdk_item

    def _copy(self, prepared: Prepared, stack: contextlib.ExitStack) -> pathlib.Path | None:
        item = prepared.item
        if item is None or item.signed_url is None:
            return None
        return stack.enter_context(local_copy(self._client, item.signed_url, item.name))

    def _frames(
        self, prepared: Prepared, copy: Callable[[], pathlib.Path | None], stack: contextlib.ExitStack
    ) -> Frames | None:
        """The frames of the file; None if it has none, or if Encord has no single file."""
        item = prepared.item
        path = copy() if item is not None and item.item_type in WITH_FRAMES else None
        if item is None or path is None:
            return None
        frames = Frames(path, item.name, single=item.item_type == IMAGE, size=(item.width, item.height))
        stack.callback(frames.close)
        return frames

    def _editable(self, prepared: Prepared) -> EditableLabels | None:
        row = prepared.label_row()
        frames = prepared.row.number_of_frames if prepared.row else None
        return None if row is None else EditableLabels(row, self._reader.features, frames)

    def _kept(self, prepared: Prepared, values: Mapping[str, Any], value: Any) -> Answer:
        """The answer, which is in the cache before anything is sent to Encord."""
        result = checked(value, _edited(prepared, values) if self._saves_edits else None)
        if result is not None and self._cache is not None:
            self._cache.store(prepared, result)
        return Answer(prepared, result)

    def _failure(self, prepared: Prepared, error: Exception) -> Answer:
        secrets = _urls(prepared)
        text = described(error, secrets)
        self._failed += 1
        log.error("Task %s (%s): %s", prepared.task.uuid, prepared.task.data_title, text)
        if self._failed <= _TRACEBACKS and not isinstance(error, MissingInputError):
            log.error("%s", traceback_of(error, secrets))
        return Answer(prepared, error=text)


def _urls(prepared: Prepared) -> list[str]:
    """The signed URLs that the function got. That of the SDK's item is not asked for, as it may send a request."""
    of_sdk = getattr(prepared.sdk_item, "_orm_item", None)
    urls = (getattr(item, "signed_url", None) for item in (prepared.item, of_sdk))
    return [url for url in urls if url]


def _edited(prepared: Prepared, values: Mapping[str, Any]) -> Any:
    """The labels that the function got as an object and has changed; None if it has not."""
    labels = next((value for value in values.values() if isinstance(value, EditableLabels)), None)
    if labels is not None:
        return labels if labels.changed else None
    return None if prepared.sdk_row is None else prepared.sdk_row.to_encord_dict()
