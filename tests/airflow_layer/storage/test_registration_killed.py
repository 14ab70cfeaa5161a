"""A registration whose worker dies around the start of a job: the retry registers nothing twice, or refuses."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator
from tests.airflow_layer.cloud_intake import START, Intake
from tests.airflow_layer.lines import needs_task_state
from tests.airflow_layer.storage.test_jobs import Store


class Killed(BaseException):
    """The worker dies."""


class Dying(EncordRegisterCloudDataOperator):
    """Dies when it looks at its job of this number."""

    dies_at = 1

    def before_poll(self) -> None:
        self.dies_at -= 1
        if self.dies_at == 0:
            raise Killed
        super().before_poll()


class DyingStore(Store):
    """The worker dies between the start of a job and the note of its id."""

    def set(self, key: str, value: Any, **more: Any) -> None:
        if key.startswith("encord_job_"):
            raise Killed
        super().set(key, value, **more)


def _groups(intake: Intake, number: int) -> str:
    names = intake.objects(2 * number)
    lines = [{"url": f"{intake.url}/{name}", "group": f"drive {at // 2}"} for at, name in enumerate(names)]
    path = intake.manifests / "groups.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def _die(intake: Intake, dies_at: int = 1, **arguments: Any) -> None:
    operator = Dying(task_id="register", folder_id=intake.folder, integration=intake.integration, **arguments)
    operator.dies_at = dies_at
    with pytest.raises(Killed):
        operator.execute({})


def _continue_jobs(intake: Intake) -> threading.Timer:
    """Let the jobs go on while the retry already looks for what they make."""
    timer = threading.Timer(1.5, intake.emulator.jobs, kwargs={"hold": False})
    timer.start()
    return timer


@pytest.mark.parametrize("groups_per_job", [1, 3])
def test_without_task_state_the_report_makes_a_retry_wait_for_the_groups_of_a_killed_attempt(
    intake: Intake, tmp_path: Path, groups_per_job: int
) -> None:
    arguments = {"source": _groups(intake, 3), "report": str(tmp_path / "report"), "units_per_job": groups_per_job}
    intake.emulator.jobs(hold=True)
    _die(intake, **arguments)
    timer = _continue_jobs(intake)
    assert intake.register(**arguments)["registered"] == 3
    timer.join()
    made = Counter(intake.names())
    assert {title: made[title] for title in ("drive 0", "drive 1", "drive 2")} == {f"drive {n}": 1 for n in range(3)}


def test_without_skipping_a_killed_attempt_without_task_state_is_refused_once(intake: Intake, tmp_path: Path) -> None:
    names = intake.objects(2)
    arguments = {
        "source": intake.manifest(names),
        "report": str(tmp_path / "report"),
        "skip_duplicate_urls": False,
    }
    _die(intake, **arguments)
    starts = intake.starts()
    with pytest.raises(AirflowFailException, match="skip_duplicate_urls=False, starting the job again could register"):
        intake.register(**arguments)
    assert (intake.names(), intake.starts()) == (names, starts)
    intake.register(**arguments)  # somebody has looked, and runs it all the same
    assert intake.starts() == starts + 1


@needs_task_state
@pytest.mark.parametrize("with_report", [False, True])
def test_without_skipping_a_start_that_could_not_be_noted_is_refused(
    intake: Intake, tmp_path: Path, with_report: bool
) -> None:
    names = intake.objects(2)
    report = {"report": str(tmp_path / "report")} if with_report else {}
    arguments = {"source": intake.manifest(names), "skip_duplicate_urls": False, **report}
    dying, store = DyingStore(), Store()
    with pytest.raises(Killed):
        intake.register({"task_state_store": dying}, **arguments)
    store.kept = dying.kept
    with pytest.raises(AirflowFailException, match="skip_duplicate_urls=False, starting the job again could register"):
        intake.register({"task_state_store": store}, **arguments)
    assert (intake.starts(), store.kept) == (1, {})


@pytest.mark.parametrize("with_state", [pytest.param(True, marks=needs_task_state), False])
def test_a_start_that_encord_refused_leaves_no_doubt(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_state: bool
) -> None:
    names = intake.objects(2)
    context = {"task_state_store": Store()} if with_state else {}
    arguments = {
        "source": intake.manifest(names),
        "report": str(tmp_path / "report"),
        "skip_duplicate_urls": False,
    }
    intake.emulator.faults(
        [{"match": START, "when": {"times": 1}, "do": {"status": 429, "headers": {"Retry-After": "90"}}}]
    )
    with pytest.raises(AirflowException, match=r"90"):
        intake.register(context, **arguments)
    intake.emulator.clear_faults()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # as on another machine, which does not know of the wait
    assert intake.register(context, **arguments)["registered"] == 2
    assert intake.names() == names
