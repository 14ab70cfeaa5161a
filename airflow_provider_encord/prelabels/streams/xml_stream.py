"""Reading a large XML document part by part: the elements inside of its root.

Memory is limited by the largest part. Documents with a DOCTYPE are refused, so entities cannot expand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn
from xml.parsers import expat

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError

_DEEPEST = 50


class Node(msgspec.Struct):
    """An element.

    :param text: Its text, without the text of its children.
    """

    name: str
    attributes: dict[str, str]
    children: list[Node] = []
    text: str = ""

    def child(self, *names: str) -> Node | None:
        """A descendant by its path; None if it does not exist."""
        found: Node | None = self
        for name in names:
            if found is not None:
                found = next((child for child in found.children if child.name == name), None)
        return found


def parts(blocks: Iterator[bytes], root: str, where: str) -> Iterator[Node]:
    """The elements inside of the root.

    :param root: Name of the root.
    :param where: The beginning of messages.
    :raises InvalidArgumentError: It is not XML, or the root has another name.
    """
    document = _Document(root, where)
    for block in blocks:
        yield from document.read(block)
    yield from document.read(b"", final=True)


class _Document:
    def __init__(self, root: str, where: str):
        self._root, self._where = root, where
        self._open: list[Node] = []
        self._ready: list[Node] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, block: bytes, *, final: bool = False) -> list[Node]:
        """The parts that end in a block."""
        try:
            self._parser.Parse(block, final)
        except expat.ExpatError as error:
            self._refuse(f"it is not XML: {error}")
        ready, self._ready = self._ready, []
        return ready

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        node = Node(name, attributes, [])
        if not self._open and name != self._root:
            self._refuse(f"its root is {name[:80]!r}, but {self._root!r} is expected")
        if len(self._open) == _DEEPEST:
            self._refuse("it is nested too deeply")
        if len(self._open) > 1:
            self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, name: str) -> None:  # noqa: ARG002 - the parser checks the name
        node = self._open.pop()
        if len(self._open) == 1:
            self._ready.append(node)

    def _text(self, text: str) -> None:
        if len(self._open) > 1:
            self._open[-1].text += text

    def _doctype(self, *_: object) -> None:
        self._refuse("it has a DOCTYPE, which is not read; remove it")

    def _refuse(self, reason: str) -> NoReturn:
        raise InvalidArgumentError(f"{self._where}: {reason}.")
