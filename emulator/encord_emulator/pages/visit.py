"""What a page is about: the emulation, and what its address asks for. And the addresses of other pages."""

from __future__ import annotations

import dataclasses
import urllib.parse

from ..media import facts as media
from ..state.emulation import Emulation
from ..state.store import Row, Store
from .markup import Markup, joined, link, tag

PAGE_SIZE = 50
"""So many rows of a table are shown at once."""
_LAST_PAGE = 1_000_000


class NotFoundError(Exception):
    """There is no such thing; the text says what was looked for."""


@dataclasses.dataclass(frozen=True)
class Visit:
    """A person who looks at a page.

    :param path: Of the page, as it was asked for.
    :param query: What follows the path.
    """

    emulation: Emulation
    path: str
    query: str

    @property
    def store(self) -> Store:
        return self.emulation.store

    def wanted(self, name: str) -> str:
        """A field of the query; empty if it is not there."""
        return urllib.parse.parse_qs(self.query).get(name, [""])[0]

    @property
    def page(self) -> int:
        """Which page of a table is asked for, from 0."""
        text = self.wanted("page")
        return min(int(text), _LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    @property
    def offset(self) -> int:
        return self.page * PAGE_SIZE

    def require(self, sql: str, uuid: str, what: str) -> Row:
        """The one row with an id.

        :raises NotFoundError: No row has it.
        """
        row = self.store.one(sql, uuid)
        if row is None:
            raise NotFoundError(f"The emulator has no {what} {uuid}.")
        return row

    def turning(self, total: int, **kept: str) -> Markup:
        """Links to the pages of a table before and after this one.

        :param total: How many rows there are.
        :param kept: Fields of the query that the links keep.
        """
        first, last = self.offset + 1, min(self.offset + PAGE_SIZE, total)
        if total <= PAGE_SIZE:
            return Markup()
        parts: list[object] = [f"{first} to {last} of {total}. "]
        if self.page > 0:
            parts += [link(_with(self.path, kept, self.page - 1), "Previous page"), " "]
        if last < total:
            parts.append(link(_with(self.path, kept, self.page + 1), "Next page"))
        return tag("nav", *parts, aria_label="Pages of this table")

    def file(self, file_link: str | None) -> str | None:
        """Where the bytes behind a file link are served for an hour; None if the emulator has none."""
        objects = self.emulation.objects
        if file_link is None or not (file_link.startswith(media.MADE_UP) or objects.find(file_link)):
            return None
        return objects.signed_url("", file_link, "GET")


def _with(path: str, fields: dict[str, str], page: int) -> str:
    return f"{urllib.parse.quote(path)}?{urllib.parse.urlencode({**fields, 'page': page})}"


def project_address(project: str) -> str:
    return f"/projects/view/{project}/summary"


def queue_address(project: str, stage: str = "") -> str:
    return f"/projects/view/{project}/queue" + (f"?stage={stage}" if stage else "")


def editor_address(project: str, data_hash: str, frame: int | str = 0) -> str:
    return f"/label_editor/{project}/{data_hash}/{urllib.parse.quote(str(frame), safe='')}"


def dataset_address(dataset: str) -> str:
    return f"/datasets/view/{dataset}"


def folder_address(folder: str) -> str:
    return f"/data/files/{folder}"


def ontology_address(ontology: str) -> str:
    return f"/ontologies/view/{ontology}/structure"


def named(address: str, title: object, uuid: str) -> Markup:
    """A link to a thing, with its id, which people copy into their DAGs."""
    return joined(link(address, title or "(no title)"), tag("br"), tag("code", uuid))
