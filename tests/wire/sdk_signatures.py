"""Sign requests with the vendor's SDK, unmodified. Runs in the SDK's own environment, not in ours.

Reads from standard input one JSON object: ``private_key`` (OpenSSH text), ``v1`` (a list of ``body``,
``resource_type``, ``resource_id``) and ``v2`` (a list of ``method``, ``url``, ``body`` or null). Writes to standard
output the headers of each, and for v2 also the target that went into the signature. The SDK takes the time from its
clock; the signature shows which second that was.
"""

from __future__ import annotations

import json
import sys

from encord.configs import SshConfig
from requests import Request

_V1_HEADERS = ("Authorization", "ResourceType", "ResourceID")
_V2_HEADERS = ("Content-Digest", "Signature-Input", "Signature")


def sign_v1(config: SshConfig, request: dict[str, str | None]) -> dict[str, str]:
    headers = config.define_headers(request["resource_id"], request["resource_type"], request["body"])
    return {name: headers[name] for name in _V1_HEADERS}


def sign_v2(config: SshConfig, request: dict[str, str | None]) -> dict[str, object]:
    body = request["body"]
    prepared = Request(request["method"], request["url"], data=body.encode() if body is not None else None).prepare()
    signed = config.define_headers_v2(prepared)
    return {"target": signed.path_url, "headers": {name: signed.headers[name] for name in _V2_HEADERS}}


def main() -> None:
    asked = json.load(sys.stdin)
    config = SshConfig.from_ssh_private_key(asked["private_key"])
    answer = {
        "v1": [sign_v1(config, request) for request in asked["v1"]],
        "v2": [sign_v2(config, request) for request in asked["v2"]],
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
