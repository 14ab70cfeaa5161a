"""Answers the steps of an upload by hand: no socket, no sleep, and whatever goes wrong is written down in the test."""

import collections
import json
from collections.abc import Callable
from typing import Any

from airflow_provider_encord.client.api.datasets import DataRow
from airflow_provider_encord.client.api.uploads import RegisteredFile, SignedUrl, UploadJob
from airflow_provider_encord.client.call import Call, Gather, Now, Pause, Transfer
from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.uploads.outcome import FileOutcome

START = "upload.start"
POLL = "dataset.add_private_data result"
ROWS = "dataset.list_data_rows"
URLS = "upload.signed_urls"
PUT = "PUT"


class ScriptedEncord:
    """A dataset that takes what it is sent, except where `instead` says otherwise.

    :ivar instead: By operation, what to answer next instead: an error to raise, a result, or a function of the step.
    :ivar rows: The data rows of the dataset.
    :ivar log: Operations in their order, with PUT for a file and ``pause`` for a wait.
    :ivar pauses: Seconds of each wait; they move the clock.
    """

    def __init__(self, *rows: DataRow) -> None:
        self.rows = list(rows)
        self.instead: dict[str, collections.deque[Any]] = collections.defaultdict(collections.deque)
        self.log: list[str] = []
        self.pauses: list[float] = []
        self.starts: list[dict[str, Any]] = []
        self.transfers: list[Transfer] = []
        self.jobs: dict[str, UploadJob] = {}
        self.outcomes: list[FileOutcome] = []
        self.now = 0.0
        self._sizes: dict[str, int] = {}
        self._keys = 0

    def report(self, outcomes: Any) -> None:
        """To be the `report` of an upload."""
        self.outcomes += outcomes

    def result_of(self, title: str) -> str:
        """The outcome of the one file of this title."""
        (outcome,) = [one for one in self.outcomes if one.file.title == title]
        return outcome.result

    def clock(self) -> float:
        return self.now

    def perform(self, step: Any) -> Any:
        """Carry out a step, as a client would."""
        if isinstance(step, Pause):
            self.log.append("pause")
            self.pauses.append(step.seconds)
            self.now += step.seconds
            return None
        if isinstance(step, Now):
            return self.now
        if isinstance(step, Gather):
            return [self._outcome(one) for one in step.steps]
        name = PUT if isinstance(step, Transfer) else step.operation
        self.log.append(name)
        if self.instead[name]:
            answer = self.instead[name].popleft()
            answer = answer(step) if callable(answer) else answer
            if isinstance(answer, EncordError):
                raise answer
            if answer is not None:
                return answer
        return self._do(step)

    def _outcome(self, step: Any) -> Any:
        try:
            return self.perform(step)
        except EncordError as error:
            return error

    def _do(self, step: Call[Any] | Transfer) -> Any:
        if isinstance(step, Transfer):
            self.transfers.append(step)
            self._sizes[step.url.removeprefix("https://store.example/")] = step.size
            return None
        does: dict[str, Callable[[Any], Any]] = {
            START: self.start,
            POLL: self._poll,
            ROWS: self._list_rows,
            URLS: self._urls,
        }
        return does[step.operation](step.request)

    def _urls(self, request: Any) -> list[SignedUrl]:
        count = request.query["count"] if request.api == "v2" else len(_as_list(request.uid))
        return [self._url() for _ in range(count)]

    def _url(self) -> SignedUrl:
        self._keys += 1
        key = f"key-{self._keys}"
        return SignedUrl(object_key=key, signed_url=f"https://store.example/{key}")

    def start(self, request: Any) -> str:
        """Start a job and let it end at once."""
        items = json.loads(json.dumps(request.payload))["dataItems"]
        self.starts.append(items)
        there = {row.file_type for row in self.rows}  # scripted rows keep the object in their file_type
        made = []
        for entry in items["images"] + items["videos"]:
            if items["skipDuplicateUrls"] and entry["objectUrl"] in there:
                continue
            data_hash = f"data of {entry['objectUrl']}"
            made.append(
                RegisteredFile(data_hash=data_hash, title=entry["title"], backing_item_uuid=f"item {data_hash}")
            )
            self.rows.append(
                DataRow(
                    data_hash=data_hash,
                    data_title=entry["title"],
                    data_type=entry["externalFileType"],
                    file_size=self._sizes[entry["objectUrl"]],
                    file_type=entry["objectUrl"],
                    backing_item_uuid=f"item {data_hash}",
                )
            )
        job = f"job-{len(self.jobs) + 1}"
        self.jobs[job] = UploadJob(status="DONE", data_hashes_with_titles=made, units_done_count=len(made))
        return job

    def _poll(self, request: Any) -> UploadJob:
        return self.jobs[request.payload["process_hash"]]

    def _list_rows(self, request: Any) -> list[DataRow]:
        kinds = request.payload["data_types"]
        return [row for row in self.rows if row.data_type in kinds]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
