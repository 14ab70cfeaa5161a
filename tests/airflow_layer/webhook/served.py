"""One delivery to Airflow's whole API server, in a process of its own, which reads it from its standard input."""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Write status and text of the answer."""
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    asked = json.load(sys.stdin)
    with TestClient(create_app("core"), base_url="http://localhost") as client:
        answer = client.post("/encord/webhook", content=asked["body"].encode(), headers=asked["headers"])
    print("answer:", json.dumps([answer.status_code, answer.text]))


if __name__ == "__main__":
    main()
