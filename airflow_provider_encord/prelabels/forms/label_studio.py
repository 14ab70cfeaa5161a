"""Label Studio's export as JSON: a list of tasks with their annotations, or, without these, their predictions.

A task is found by the file of its data. Uploaded files have eight characters and a dash in front of their name, and
local files a parameter ``d``; both are removed if the whole name is not found. Regions are in percent. The boxes of
videos have keyframes, see `label_studio_video`.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.packed_lines import DamagedFileError, unpacked
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.converting import Converter
from airflow_provider_encord.prelabels.forms.files import files_of
from airflow_provider_encord.prelabels.forms.items import Entry, Item, Tag, Wrong
from airflow_provider_encord.prelabels.forms.label_studio_shapes import shapes_of
from airflow_provider_encord.prelabels.forms.label_studio_video import SEQUENCE, TIMELINE, boxes_of, ranges_of
from airflow_provider_encord.prelabels.forms.names import Spot, Spots, without_query
from airflow_provider_encord.prelabels.forms.scale import Scale, number
from airflow_provider_encord.prelabels.forms.spec import FormSpec
from airflow_provider_encord.prelabels.forms.units import Units
from airflow_provider_encord.prelabels.sources import Prelabel
from airflow_provider_encord.prelabels.streams.json_stream import members
from airflow_provider_encord.prelabels.streams.spool import Spool
from airflow_provider_encord.storage_paths import StoragePath

_SUFFIXES = (".json", ".json.gz", ".json.zst")
_UPLOADED = re.compile(r"(.*/)?[0-9a-f]{8}-(.+)")
_ANSWERS = {"choices": "choices", "textarea": "text", "number": "number", "rating": "rating"}
"""The results that answer a question, by type, and the key of their value."""
_PERCENT = 100


def label_studio_lines(
    source: StoragePath,
    spec: FormSpec,  # noqa: ARG001 - as for other forms
    spots: Spots,
    converter: Converter,
) -> Iterator[Prelabel]:
    """The lines of exports, one for each data unit that the tasks of a file show.

    :raises InvalidArgumentError: A file is not an export as JSON.
    """
    for name, path in files_of(source, _SUFFIXES):
        with Spool() as spool:
            _read(path, spool)
            yield from _lines(name, spool, spots, converter)


def _lines(file: str, spool: Spool, spots: Spots, converter: Converter) -> Iterator[Prelabel]:
    tasks = [(key, *msgspec.json.decode(key, type=tuple[Any, list[str]])) for key in spool.keys()]  # noqa: SIM118 - not a dictionary
    units = Units(
        tasks, lambda task: _spot(task[2], spots), lambda task: f"{file}, task {task[1]} ({task[2][0][:200]})"
    )
    yield from units.wrong
    for place, shown in units:
        entries: list[Entry] = []
        size = 0
        for (key, _, _), spot in shown:
            for content in spool.entries(key):
                size += len(content)
                entries += _entries(msgspec.json.decode(content), spot)
        yield converter.line(place, shown[0][1].row, entries, size=size)


def _read(path: StoragePath, spool: Spool) -> None:
    """Sort the results by task."""
    where = f"source: {path}"
    try:
        for member in members(unpacked(path, "source"), where):
            task = member.value
            if member.key or not isinstance(task, Mapping) or not isinstance(task.get("data"), Mapping):
                raise InvalidArgumentError(
                    f"{where}: it is not a list of tasks with data. Export the project as JSON, not as JSON-MIN."
                )
            key = msgspec.json.encode([task.get("id", member.number), _names(task["data"])]).decode()
            spool.add(key, msgspec.json.encode(_results(task)))
    except DamagedFileError as error:
        raise InvalidArgumentError(f"source: {error.message}") from None


def _names(data: Mapping[str, Any]) -> list[str]:
    """The names of the file of a task, the most complete first."""
    texts = [value for value in data.values() if isinstance(value, str)]
    found = data.get("image") or data.get("video") or next((text for text in texts if "/" in text or "." in text), "")
    written = urllib.parse.unquote(without_query(str(found)))
    local = urllib.parse.parse_qs(urllib.parse.urlsplit(str(found)).query).get("d", [])
    uploaded = _UPLOADED.fullmatch(written)
    return [written, *local, *([uploaded[2]] if uploaded else [])]


def _results(task: Mapping[str, Any]) -> dict[str, Any]:
    """The results of a task, or why it has none to import."""
    given = [one for one in task.get("annotations") or () if isinstance(one, Mapping) and not one.get("was_cancelled")]
    given = given or [one for one in task.get("predictions") or () if isinstance(one, Mapping)]
    if len(given) > 1:
        return {"problem": f"it has {len(given)} annotations or predictions; keep one of them"}
    results = given[0].get("result") if given else []
    if not isinstance(results, list):
        return {"problem": "result: it is not a list"}
    return {"results": results, "score": given[0].get("score") if given else None}


def _spot(names: list[str], spots: Spots) -> Spot:
    for name in names:
        try:
            return spots.find(name)
        except WrongLabelsError:
            continue
    return spots.find(names[0])


def _entries(task: Mapping[str, Any], spot: Spot) -> Iterator[Entry]:
    if "problem" in task:
        yield Wrong(where="task", problem=task["problem"])
        return
    results = [one for one in task["results"] if isinstance(one, Mapping) and isinstance(one.get("value"), Mapping)]
    others = len(task["results"]) - len(results)
    if others:
        yield Wrong(where="task", problem=f"{others} of its results have no value, such as relations; remove them")
    ranges = [one for one in results if one.get("type") == TIMELINE]
    regions = [one for one in results if one.get("type") not in (*_ANSWERS, TIMELINE)]
    drawn = {one.get("id") for one in regions}
    answers = [one for one in results if one.get("type") in _ANSWERS]
    for region in _joined(regions):
        yield from _region(region, [one for one in answers if one.get("id") == region.get("id")], task, spot)
    for one in ranges:
        yield _on_timeline(one, task)
    for answer in answers:
        if answer.get("id") not in drawn:
            yield _tag(answer, task, spot)


def _region(
    region: Mapping[str, Any], answers: list[Mapping[str, Any]], task: Mapping[str, Any], spot: Spot
) -> Iterator[Entry]:
    """The objects of a region: one, or in a video one for each frame."""
    try:
        item = _item(region, answers, task, spot)
        if SEQUENCE not in region["value"]:
            yield item
            return
        if not isinstance(region.get("id"), str | int):
            raise WrongLabelsError("id: it is missing, but the boxes of a video need it")
        for frame, box in boxes_of(region["value"], spot.row.number_of_frames):
            yield _on_frame(item, region, frame, box, spot)
    except WrongLabelsError as error:
        yield Wrong(where=f"result {region.get('id')}", problem=str(error))


def _on_frame(item: Item, region: Mapping[str, Any], frame: int, box: Mapping[str, float], spot: Spot) -> Item:
    return msgspec.structs.replace(
        item,
        where=f"{item.where} on frame {frame}",
        shapes=shapes_of(box, item.scale, _pixels(region, spot), spot),
        frame=frame - 1,
        track=region["id"],
    )


def _on_timeline(result: Mapping[str, Any], task: Mapping[str, Any]) -> Entry:
    """A label of a timeline: the answer to the question of its control, on some frames."""
    where = f"result {result.get('id')}"
    try:
        return Tag(
            where=where,
            label=str(result.get("from_name")),
            answer=_single(result["value"].get(TIMELINE)),
            score=_score(result, task),
            frames=ranges_of(result["value"]),
        )
    except WrongLabelsError as error:
        return Wrong(where=where, problem=str(error))


def _pixels(region: Mapping[str, Any], spot: Spot) -> Scale:
    return Scale(region.get("original_width") or spot.width, region.get("original_height") or spot.height)


def _joined(regions: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The regions. A shape and its labels can be two results with one id."""
    by_id: dict[Any, dict[str, Any]] = {}
    for place, region in enumerate(regions):
        known = by_id.setdefault(region.get("id", place), {**region, "value": {}})
        known["value"] = {**known["value"], **region["value"]}
    return list(by_id.values())


def _item(region: Mapping[str, Any], answers: list[Mapping[str, Any]], task: Mapping[str, Any], spot: Spot) -> Item:
    value = region["value"]
    labels = next((found for key, found in value.items() if key.endswith("labels") and isinstance(found, list)), [])
    if len(labels) != 1:
        raise WrongLabelsError(f"it has {len(labels)} labels, but an object has one class")
    scale = Scale(_PERCENT, _PERCENT)
    return Item(
        where=f"result {region.get('id')}",
        label=str(labels[0]),
        shapes=shapes_of(value, scale, _pixels(region, spot), spot),
        scale=scale,
        score=_score(region, task),
        frame=spot.frame,
        attributes={str(answer.get("from_name")): _answer(answer) for answer in answers},
    )


def _tag(result: Mapping[str, Any], task: Mapping[str, Any], spot: Spot) -> Entry:
    where = f"result {result.get('id')}"
    try:
        score = _score(result, task)
    except WrongLabelsError as error:
        return Wrong(where=where, problem=str(error))
    return Tag(
        where=where,
        label=str(result.get("from_name")),
        answer=_answer(result),
        score=score,
        frames=None if spot.frame is None else [[spot.frame, spot.frame]],
    )


def _answer(result: Mapping[str, Any]) -> Any:
    return _single(result["value"].get(_ANSWERS[str(result.get("type"))]))


def _single(found: Any) -> Any:
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _score(result: Mapping[str, Any], task: Mapping[str, Any]) -> float | None:
    found = task.get("score") if result.get("score") is None else result["score"]
    return None if found is None else number(found, "score")
