"""Send what an SDK once sent: ids replaced, with a new signature, over a plain HTTP connection.

Nothing else of a request is touched. What an answer gives (an upload URL, a job id, a page token) takes the place of
what the recording had there, in all later requests, as a client would carry it on.
"""

import datetime
import gzip
import json
import urllib.parse
from typing import Any

from tests.sdk import media
from tests.wire.ids import replaced
from tests.wire.server import Answer
from tests.wire.world import World

_SIGNED_ANEW = {"Authorization", "Content-Digest", "Signature-Input", "Signature"}
_NOW = datetime.datetime.now(datetime.UTC)
_MOMENTS: dict[str, Any] = {  # of logs, whose interval has a longest length
    "starttime": (_NOW - datetime.timedelta(days=20)).isoformat(),
    "endtime": (_NOW + datetime.timedelta(days=9)).isoformat(),
    "starttimestamp": 0,
    "endtimestamp": 4_000_000_000,
}
_ONES = {  # which one of the people, stages, data and actions
    *("action", "actoruseremail", "workflowstageid", "dataunitid", "useremails", "useremail", "userhash"),
    *("actoremails", "eventtypes", "workflowstageuuids", "dataunituuids"),
}
_LONG_AGO, _FAR_AHEAD = "2000-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"


def send(world: World, recorded: dict[str, Any]) -> Answer:
    """One recorded request; the answer as it came, decompressed."""
    answer = _send_to_api(world, recorded) if is_for_the_api(recorded) else _send_to_store(world, recorded)
    if answer.headers.get("Content-Encoding", answer.headers.get("content-encoding")) == "gzip":
        answer.body = gzip.decompress(answer.body)
    return answer


def is_for_the_api(recorded: dict[str, Any]) -> bool:
    """Whether a request went to Encord, and not to a signed URL of an object store (whose content is anybody's)."""
    return "path" in recorded


def learn(ids: dict[str, str], recorded: Any, answered: Any) -> None:
    """Take the texts of an answer for those that the recording has in the same places."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        for key in recorded.keys() & answered.keys():
            learn(ids, recorded[key], answered[key])
    elif isinstance(recorded, list) and isinstance(answered, list):
        for first, second in zip(recorded, answered, strict=False):
            learn(ids, first, second)
    elif isinstance(recorded, str) and isinstance(answered, str) and recorded != answered:
        ids[recorded] = answered


def loosened(recorded: dict[str, Any]) -> dict[str, Any]:
    """The same request with filters that match everything: recorded filters name things that only the stub had."""
    query = recorded.get("json")
    request = {**recorded, "query": _loose_query(recorded.get("query") or {})}
    if (
        isinstance(query, dict)
        and isinstance(query.get("values"), dict)
        and isinstance(query["values"]["payload"], dict)
    ):
        payload = query["values"]["payload"]
        payload = (
            {**payload, "filter": _loose(payload["filter"])} if "filter" in payload else _loose(payload, null=True)
        )
        request["json"] = {**query, "values": {**query["values"], "payload": payload}}
    return request


def _loose_query(query: dict[str, list[str]]) -> dict[str, list[str]]:
    single = {name: values[0] for name, values in query.items()}
    if "organisationTagNamesAllof" in query:  # no API gives a folder a tag: look for the prepared one by its name
        single["search"] = "Raw uploads"
    return {
        name: query[name] if name in query and value == single[name] else [value]
        for name, value in _loose(single).items()
    }


def _loose(filters: dict[str, Any], *, null: bool = False) -> dict[str, Any]:
    found = {name: _loose_value(name, value) for name, value in filters.items()}
    return found if null else {name: value for name, value in found.items() if value is not None}


def _loose_value(name: str, value: Any) -> Any:
    plain = name.replace("_", "").lower()
    if (
        value is None
        or plain.endswith(("eq", "contains"))
        or plain
        in {"labelstatuses", "statuses", "tagsanyof", "organisationtagnamesallof", "branchname", "shadowdatastate"}
    ):
        return None
    if plain in _ONES:
        return None
    if plain in _MOMENTS:
        return _MOMENTS[plain]
    if plain.endswith("like"):
        return "%"
    if plain.endswith("before"):
        return _FAR_AHEAD
    return _LONG_AGO if plain.endswith("after") else value


def _send_to_api(world: World, recorded: dict[str, Any]) -> Answer:
    headers = {name: value for name, value in recorded["headers"].items() if name not in _SIGNED_ANEW}
    headers = {name: world.ids.get(value, value) for name, value in headers.items()}
    path = "/".join(world.ids.get(part, part) for part in recorded["path"].split("/"))
    query = urllib.parse.urlencode(replaced(recorded.get("query") or {}, world.ids), doseq=True)
    target = f"{path}?{query}" if query else path
    content = recorded.get("json")
    body = b"" if content is None else json.dumps(replaced(content, world.ids)).encode()
    if world.recording.auth == "api_key":
        headers["Authorization"] = world.ids[recorded["headers"]["Authorization"]]
    elif path.startswith("/v2/"):
        headers |= world.user.key.sign_v2(recorded["method"], target, body)
    else:
        headers |= world.user.key.sign_v1(body)
    return world.user.server.send(recorded["method"], target, headers, body or None)


def _send_to_store(world: World, recorded: dict[str, Any]) -> Answer:
    """To a signed URL, without credentials. The recorded bytes were no real media; the server reads real ones."""
    parts = urllib.parse.urlsplit(world.ids[recorded["url"]])
    kind = recorded["headers"].get("Content-Type", "")
    # The images of a group come to a folder as if they were DICOM files (protocol, section 9).
    of_group = world.recording.operation in {"storage.create_image_group", "storage.create_image_sequence"}
    content = media.jpeg(640, 480) if kind.startswith("image/") or of_group else media.mp4(320, 240, 30, 10)
    body = content if recorded["method"] == "PUT" else None
    return world.user.server.send(recorded["method"], f"{parts.path}?{parts.query}", recorded["headers"], body)
