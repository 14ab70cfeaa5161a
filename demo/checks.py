"""What the demo proves at its end: the exports are the truth, reading wrote nothing, no secret was left anywhere."""

from __future__ import annotations

import base64
import json
import pathlib
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from demo.surroundings import DemoError


def exported_rows(directory: pathlib.Path) -> list[dict[str, Any]]:
    """The label rows of one export, as its manifest lists them.

    :param directory: Holds exactly one export, at any depth.
    """
    manifests = sorted(directory.rglob("manifest.json"))
    if len(manifests) != 1:
        raise DemoError(f"Expected one export below {directory}, found {len(manifests)} manifests.")
    shards = json.loads(manifests[0].read_text())["shards"]
    lines = [line for shard in shards for line in (manifests[0].parent / shard["name"]).read_text().splitlines()]
    return [json.loads(line) for line in lines]


def require_same(who: str, exported: Iterable[Mapping[str, Any]], truth: Iterable[Mapping[str, Any]]) -> None:
    """Compare exported label rows with those that the emulator holds, row by row, as JSON.

    :raises DemoError: A row is missing, too much, or different.
    """
    ours, theirs = ({row["label_hash"]: row for row in rows} for rows in (exported, truth))
    differing = [
        label_hash for label_hash in ours.keys() | theirs.keys() if ours.get(label_hash) != theirs.get(label_hash)
    ]
    if differing or not ours:
        raise DemoError(
            f"The export with {who} differs from what Encord holds in {len(differing)} of {len(theirs)} rows."
        )


def require_read_only(what: str, journal: Iterable[Mapping[str, Any]]) -> int:
    """Check that none of these requests changed anything; how many there were.

    :raises DemoError: One did.
    """
    entries = list(journal)
    changing = [f"{entry['query_type']} {entry['query_method']}" for entry in entries if entry["changes"]]
    if changing:
        raise DemoError(f"{what} sent changing requests: {', '.join(changing)}.")
    return len(entries)


def require_no_secrets(places: Iterable[pathlib.Path], journal: Any, secrets: Mapping[str, str]) -> None:
    """Search files, and the emulator's journal, for secrets in several encodings.

    :param places: Directories and files.
    :param secrets: Secret texts by what they are called.
    :raises DemoError: One was found; the message says where, not what.
    """
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*")) if file.is_file()]
    contents = {str(file): file.read_bytes() for file in files} | {"the journal": json.dumps(journal).encode()}
    for name, secret in secrets.items():
        for needle in _forms(secret):
            found = [place for place, content in contents.items() if needle in content]
            if found:
                raise DemoError(f"{name} was found in {', '.join(found)}.")


def _forms(secret: str) -> set[bytes]:
    """A secret whole and line by line: raw, hex, base64, JSON-escaped, URL-escaped."""
    pieces = {secret.strip(), *(line for line in secret.splitlines() if len(line) > 16 and "-----" not in line)}
    forms = set()
    for piece in pieces:
        raw = piece.encode()
        forms |= {raw, raw.hex().encode(), base64.b64encode(raw), json.dumps(piece)[1:-1].encode()}
        forms |= {urllib.parse.quote(piece, safe="").encode(), urllib.parse.quote_plus(piece).encode()}
    return forms
