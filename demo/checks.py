"""What the demo proves at its end: the exports are the truth, reading wrote nothing, no secret was left anywhere."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from demo.environment import DemoError
from tests.leaks.forms import Secret
from tests.leaks.search import Search


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


def require_no_secrets(places: Iterable[pathlib.Path], journal: Any, secrets: Iterable[Secret]) -> int:
    """Search files, Airflow's database, and the emulator's journal, for secrets in every form.

    :param places: Directories and files.
    :return: How many bytes were looked through.
    :raises DemoError: One was found; the message says where, not what.
    """
    search = Search(secrets)
    found = [*search.in_files(*places), *search.in_bytes("the journal", json.dumps(journal).encode())]
    if found:
        raise DemoError(f"Secrets were found: {'; '.join(str(match) for match in found)}.")
    return search.searched.size
