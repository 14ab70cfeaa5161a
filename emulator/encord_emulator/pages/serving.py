"""Which page is at which address: those of Encord's web app, as far as they are known."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.responses import Response

from ..state.emulation import Emulation
from .data_pages import dataset_page, folder_page
from .label_page import label_page
from .markup import link, page, tag
from .ontology_page import ontology_page
from .project_page import queue_page, summary_page
from .visit import NotFoundError, Visit

_ID = r"([0-9a-f-]{36})"
_PAGES: list[tuple[re.Pattern[str], Callable[..., Response]]] = [
    (re.compile(pattern), show)
    for pattern, show in (
        (rf"/projects/view/{_ID}(?:/summary)?", summary_page),
        (rf"/projects/view/{_ID}/queue", queue_page),
        (rf"/label_editor/{_ID}/{_ID}(?:/([^/]{{1,100}}))?", label_page),
        (rf"/datasets/view/{_ID}", dataset_page),
        (rf"/data/files/{_ID}", folder_page),
        (rf"/ontologies/view/{_ID}(?:/structure)?", ontology_page),
    )
]


def is_page(path: str) -> bool:
    """Whether a path is one of a page for people, also if what it names does not exist."""
    return path == "/" or any(pattern.fullmatch(path) for pattern, _ in _PAGES)


def show(emulation: Emulation, path: str, query: str) -> Response:
    """The page at a path for which `is_page` is true; a page that says so if there is no such thing."""
    for pattern, view in _PAGES:
        match = pattern.fullmatch(path)
        if match is not None:
            try:
                return view(Visit(emulation, path, query), *filter(None, match.groups()))
            except NotFoundError as missing:
                return page("Not found", tag("p", missing), tag("p", link("/", "What is there")), status=404)
    raise ValueError(f"no page is at {path}")
