"""The page of a data unit in a project: its pictures, and the labels on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

from ..state.store import Row
from .drawing import Picture, can_be_drawn, drawn
from .labelled import ROWS, UNIT, Content, blank, pictures
from .markup import Markup, facts, joined, link, page, table, tag
from .visit import NotFoundError, Visit, editor_address, project_address

_MOST_LINKS = 500
"""So many labelled frames are linked."""


def label_page(visit: Visit, project: str, data_hash: str, frame: str = "0") -> Response:
    """What a data unit looks like with the labels of each branch."""
    about = visit.require("SELECT * FROM projects WHERE uuid = ?", project, "project")
    unit = visit.store.one(UNIT, project, data_hash)
    if unit is None:
        raise NotFoundError(f"The project {project} has no data unit {data_hash}.")
    task = visit.store.one(
        "SELECT stages.title AS stage, tasks.* FROM tasks JOIN stages ON stages.project = tasks.project"
        " AND stages.uuid = tasks.stage WHERE tasks.project = ? AND data_hash = ?",
        *(project, data_hash),
    )
    rows: list[Row | None] = list(visit.store.all(ROWS, project, data_hash)) or [None]
    known = {
        "Project": link(project_address(project), about["title"]),
        "Data unit": tag("code", data_hash),
        "Kind": unit["data_type"],
        "Size": f"{unit['width']} × {unit['height']} pixels" if unit["width"] else None,  # noqa: RUF001 - a sign
        "Frames": unit["frames"] if unit["frames"] > 1 else None,
        "Stage": task["stage"] if task is not None else None,
        "Status": task["status"] if task is not None else None,
        "Assigned to": task["assignee"] if task is not None else None,
    }
    branches = [_branch(visit, project, unit, row, frame) for row in rows]
    return page(unit["title"], facts(known), *branches)


def _branch(visit: Visit, project: str, unit: Row, row: Row | None, frame: str) -> Markup:
    """The labels of one branch."""
    content = Content(row)
    found = pictures(visit, unit, content)
    shown = _chosen(unit, found, frame)
    parts: list[object] = []
    if row is None:
        parts.append(tag("p", "There are no labels yet.", class_="quiet"))
    else:
        saved = f"Branch {row['branch']}, saved on {row['last_edited_at'][:16].replace('T', ' at ')} UTC"
        parts += [tag("h2", f"Labels of the branch {row['branch']}"), tag("p", saved, class_="quiet")]
    if shown is not None:
        parts += [_figure(shown), _objects(shown, content)]
    if len(found) > 1:
        parts.append(_frames(project, unit, found))
    parts += [_ranges(content), _classifications(content)]
    return tag("section", *parts)


def _chosen(unit: Row, found: Mapping[str, Picture], frame: str) -> Picture | None:
    """The picture of a frame. Frame 0 is where links lead that name none: then it is the first one with labels."""
    if frame in found:
        return found[frame]
    if found and frame == "0":
        return next((picture for picture in found.values() if picture.objects), next(iter(found.values())))
    return blank(unit, frame) if unit["width"] and frame.isdigit() else None


def _figure(picture: Picture) -> Markup:
    if not picture.has_size:
        return tag("p", f"{picture.title}: it has no size, so nothing is drawn.", class_="quiet")
    note = "" if picture.address else " The emulator shows no pixels of it, so the labels are drawn on a blank."
    return tag("figure", drawn(picture), tag("figcaption", picture.title, note))


def _objects(picture: Picture, content: Content) -> Markup:
    answers = content.answers_of("object_answers")
    rows: list[list[object]] = []
    for item in picture.objects:
        given = answers.get(str(item.get("objectHash")))
        attributes = given.get("classifications") if isinstance(given, dict) else None
        shape: object = item.get("shape")
        if picture.has_size and not can_be_drawn(item, picture.width, picture.height):
            shape = f"{shape} (not drawn)"
        rows.append([item.get("name"), shape, _answers(attributes), item.get("createdBy"), item.get("objectHash")])
    return table("Objects", ["Name", "Shape", "Attributes", "Author", "Id"], rows)


def _frames(project: str, unit: Row, found: Mapping[str, Picture]) -> Markup:
    links = [
        tag("li", link(editor_address(project, unit["data_hash"], key), picture.title), f": {len(picture.objects)}")
        for key, picture in list(found.items())[:_MOST_LINKS]
    ]
    more = len(found) - len(links)
    rest = tag("p", f"{more} more are not listed.") if more else ""
    return joined(tag("h3", "Frames, and how many objects are on them"), tag("ul", *links), rest)


def _ranges(content: Content) -> Markup:
    """Objects that are parts of a sound or text, which are on no frame."""
    rows: list[list[object]] = [
        [answer.get("name"), _range(answer), _answers(answer.get("classifications"))]
        for answer in content.answers_of("object_answers").values()
        if isinstance(answer, dict) and ("range" in answer or "range_html" in answer)
    ]
    return table("Marked ranges", ["Name", "Range", "Attributes"], rows) if rows else Markup()


def _classifications(content: Content) -> Markup:
    rows: list[list[object]] = [
        [_answers(answer.get("classifications")), _range(answer), answer.get("createdBy")]
        for answer in content.answers_of("classification_answers").values()
        if isinstance(answer, dict)
    ]
    return table("Classifications", ["Answer", "Frames", "Author"], rows)


def _range(answer: Mapping[str, Any]) -> str:
    pairs = answer.get("range") or answer.get("range_html") or []
    return ", ".join(
        f"{pair[0]} to {pair[1]}" if isinstance(pair, list) and len(pair) == 2 else str(pair) for pair in pairs
    )


def _answers(given: Any) -> str:
    """Answers to attributes, in words."""
    if not isinstance(given, Iterable):
        return ""
    return "; ".join(f"{one.get('name')}: {_answer(one.get('answers'))}" for one in given if isinstance(one, dict))


def _answer(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(option.get("name")) if isinstance(option, dict) else str(option) for option in value)
    return str(value)
