"""The recorded vectors, as values: which operation each is about, and what went over the wire.

A vector is known by the name of its operation and by its API (v1 or v2), never by the name of its file: the same
operation was recorded in several forms, and more may be dropped into the folder.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).with_name("vectors")


@dataclasses.dataclass(frozen=True)
class Recording:
    """One vector.

    :param name: Stem of the file, for people.
    :param operation: Name without what stands in brackets: ``"label_rows.list"``.
    :param api: ``"v1"`` or ``"v2"``: the API of its first request.
    :param auth: ``"ssh"`` or ``"api_key"``.
    :param exchanges: ``{"request": ..., "response": ...}`` in the order sent.
    :param raises: Whether the SDK gave up, because the stub answered with a failure on purpose.
    """

    name: str
    operation: str
    api: str
    auth: str
    exchanges: list[dict[str, Any]]
    raises: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.operation, self.api


def recordings() -> list[Recording]:
    """Every vector of an operation; files about signing and key loading (`auth-...`) describe none."""
    found = ((path.stem, json.loads(path.read_text())) for path in sorted(VECTORS.glob("*.json")))
    return [_recording(name, content) for name, content in found if "operation" in content]


def _recording(name: str, content: dict[str, Any]) -> Recording:
    exchanges = content.get("exchanges") or [{"request": content["request"], "response": content["response"]}]
    return Recording(
        name=name,
        operation=content["operation"].split(" (")[0],
        api="v2" if exchanges[0]["request"]["path"].startswith("/v2/") else "v1",
        auth=content["auth"],
        exchanges=exchanges,
        raises="raises" in content,
    )
