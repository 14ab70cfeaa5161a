"""Pulled media."""

from __future__ import annotations

import io
import json
from typing import Any

from airflow_provider_encord.client.api.core.data_items import IMAGE
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.operators.media import EncordPullMediaOperator
from tests.moves.scenario import NOWHERE, Scenario
from tests.sdk.media import png


class PullMedia(Scenario):
    """The files of a dataset."""

    names = ("dataset_id", "destination")
    operator = EncordPullMediaOperator
    broken_at = 2

    def prepare(self) -> None:
        seeded = self.account.project(rows=6)
        self.project, self.dataset = seeded["project_id"], seeded["dataset_id"]
        self.destination = self.directory / "media"

    def arguments(self) -> dict[str, Any]:
        return {"dataset_id": self.dataset, "destination": str(self.destination)}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "dataset_id": NOWHERE}

    def truth(self) -> Any:
        """The data units in the report whose files are there, with the size that the report states."""
        lines = [json.loads(line) for line in (self.destination / "media.jsonl").read_text().splitlines()]
        sizes = {line["unit"]: (self.destination / line["path"]).stat().st_size for line in lines}
        assert sizes == {line["unit"]: line["bytes"] for line in lines}
        return set(sizes)

    def goal(self) -> Any:
        with self.account.client() as client:
            return {row.data_hash for row in client.dataset(self.dataset).data_rows()}

    def gain(self) -> None:
        """Somebody adds a picture to the dataset, and somebody else damages a pulled file."""
        with self.account.client() as client:
            content = png(7, 5)
            unit = LocalFile(title="new.png", kind=IMAGE, size=len(content), open=lambda: io.BytesIO(content))
            client.dataset(self.dataset).upload([unit], timeout=60)
        pulled = sorted(self.destination.glob("*.png"))
        if pulled:
            pulled[0].write_bytes(b"damaged")

    def lose(self) -> None:
        """Somebody removes a data unit."""
        with self.account.client() as client:
            dataset = client.dataset(self.dataset)
            dataset.remove_data_rows([dataset.data_rows()[0].data_hash])
