"""Histories of registrations: a bucket whose objects come and go, listed or named by a manifest, deferred or not."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

import airflow_provider_encord.client.transport.asynchronous  # noqa: F401 - else each attempt imports it
from airflow_provider_encord.client.api.storage_items import get_items
from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator
from tests.airflow_layer.deferrals import run_deferred
from tests.histories.moves import PICKS, Moves, Run
from tests.sdk.media import png

_NAMES = ["a.png", "b.png", "c.png", "x/a.png", "y/a.png", "z.png"]


class Registrations(Moves):
    """Registrations of one bucket, in one folder."""

    FAULTS: ClassVar[list[dict[str, Any]]] = [
        {},
        {"method": "POST", "path": "/data-upload-jobs$"},
        {"method": "GET", "path": "/data-upload-jobs/"},
        {"method": "GET", "path": "integrations"},
        {"method": "POST"},
    ]
    # Not deferred: connections of the triggerer's client would be shared by all forks.
    PLAIN: ClassVar[dict[str, Any]] = {
        "report": True,
        "manifest": True,
        "deferrable": False,
        "units_per_job": 2,
        "on_error": "fail",
    }

    def __init__(self) -> None:
        super().__init__()
        self.bucket, self.report = self.directory / "bucket", self.directory / "report"
        self.bucket.mkdir()
        self.deleted: set[str] = set()

    @initialize(
        report=st.booleans(),
        manifest=st.booleans(),
        deferrable=st.booleans(),
        units_per_job=st.integers(1, 3),
        on_error=st.sampled_from(["skip", "fail"]),
    )
    def begin(self, report: bool, manifest: bool, deferrable: bool, units_per_job: int, on_error: str) -> None:
        self.url = f"s3://{self.directory.name}".replace("_", "-")
        self.with_report, self.with_manifest = report, manifest
        self.manifest = self.directory / "manifest.jsonl"
        integration = self.emulator.bucket(integration=self.url, url=self.url, directory=str(self.bucket))
        with self.account.client() as client:
            self.folder = client.create_folder("History", if_exists="new").id
        self.options = {
            "folder_id": self.folder,
            "integration": integration,
            "units_per_job": units_per_job,
            "deferrable": deferrable,
            "poll_interval": 5,
            "on_error": on_error,
            **({"source": str(self.manifest)} if manifest else {"source": str(self.bucket), "url_prefix": self.url}),
            **({"report": str(self.report)} if report else {}),
        }
        for number in range(4):
            self.put(number)
        self.name_all(0)

    @rule(name=PICKS)
    def put(self, name: int) -> None:
        path = self.bucket / _NAMES[name % len(_NAMES)]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png(4 + name % len(_NAMES), 4))

    @rule(name=PICKS)
    def take_away(self, name: int) -> None:
        (self.bucket / _NAMES[name % len(_NAMES)]).unlink(missing_ok=True)

    @rule(first=PICKS)
    def name_all(self, first: int) -> None:
        """The manifest is written again, in another order."""
        names = self._names()
        names = names[first % max(1, len(names)) :] + names[: first % max(1, len(names))]
        self.manifest.write_text("".join(json.dumps({"url": f"{self.url}/{name}"}) + "\n" for name in names))

    @rule(pick=PICKS)
    def somebody_deletes_an_item(self, pick: int) -> None:
        there = sorted(self._there())
        if not there:
            return
        key = there[pick % len(there)]
        with self.account.client() as client:
            client.folder(self.folder).delete_items([key])
        self.deleted.add(key)

    @rule(hold=st.booleans(), share=st.sampled_from([0.0, 0.0, 0.5]))
    def jobs_change(self, hold: bool, share: float) -> None:
        """Encord is slow, or fails units."""
        if self.live:
            return  # they would wait for long
        self.hold = hold
        self.emulator.jobs(hold=hold, fail_units=share, seed=1)

    def meanwhile(self, pick: int) -> None:
        self.take_away(pick)
        self.put(pick + 1)

    def work(self, run: Run, context: dict[str, Any]) -> Any:
        more = {"job_timeout": 0.5 if self.hold else 60}
        return run_deferred(lambda: EncordRegisterCloudDataOperator(task_id="task", **self.options, **more), context)

    def about_to_run(self, run: Run) -> None:
        self.before_the_last_run(all_of_them=False)

    def before_the_last_run(self, *, all_of_them: bool = True) -> None:
        if not self._names():
            self.put(0)
        if all_of_them or not self.manifest.read_text():
            self.name_all(0)

    def failed_for_good(self, run: Run) -> None:
        """A manifest may name objects that are gone."""
        assert run.end is not None
        assert "were not registered" in run.end.text, run.end.text

    def green(self, run: Run, result: Any, *, undisturbed: bool) -> None:
        assert result["units"] == result["registered"] + result["failed"] + result["cancelled"]
        if self.options["on_error"] == "fail":
            assert result["failed"] == result["cancelled"] == 0
        if self.with_report and undisturbed:
            lines = self._lines()
            assert len(lines) == result["units"]
            counted = [line["outcome"] for line in lines]
            assert counted.count("failed") == result["failed"] + result["cancelled"]
            self._check_lines(lines)

    def settled(self) -> None:
        end = self.runs[-1].end
        assert end is not None
        assert end.result["failed"] == end.result["cancelled"] == 0
        urls = sorted(self._there().values())
        assert len(urls) == len(set(urls)), "doubled"
        assert {f"{self.url}/{name}" for name in self._names()} <= set(urls), "lost"
        if self.with_report:
            assert {url for line in self._lines() for url in line["urls"]} == {
                f"{self.url}/{name}" for name in self._names()
            }
            assert not self.report.with_name("report.parts").exists()

    def _names(self) -> list[str]:
        return sorted(str(path.relative_to(self.bucket)) for path in self.bucket.rglob("*.png"))

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.report.read_text().splitlines()]

    def _check_lines(self, lines: list[dict[str, Any]]) -> None:
        there = self._there()
        for line in lines:
            if line["id"] is not None and line["id"] not in self.deleted:
                assert there.get(line["id"]) in line["urls"], line
            if line["outcome"] == "created":
                assert line["id"], line

    def _there(self) -> dict[str, str]:
        """The URL of each item."""
        with self.account.client() as client:
            keys = [item.uuid for item in client.folder(self.folder).items()]
            return {one.uuid: str(one.url) for one in client.send(get_items(keys))} if keys else {}
