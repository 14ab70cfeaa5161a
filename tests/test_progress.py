"""How far long work is: one line at intervals, the same words everywhere, and never a failure because of it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord import progress as progress_module
from airflow_provider_encord.client.call import Pause
from airflow_provider_encord.client.flows.chunks import in_parts
from airflow_provider_encord.client.flows.jobs import JobProgress, JobState
from airflow_provider_encord.exports.progress import ExportProgress
from airflow_provider_encord.progress import (
    SECONDS_BETWEEN_LINES,
    STATE_KEY,
    ProgressLogger,
    duration,
    noted_in,
    per_second,
)
from airflow_provider_encord.uploads.progress import UploadProgress


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _logger(unit: str, total: int | None, clock: Clock, lines: list[str]) -> ProgressLogger:
    return ProgressLogger(unit, total, log=lambda text, *values: lines.append(text % values), clock=clock)


def test_there_is_one_line_an_interval_however_many_steps_there_are() -> None:
    clock, lines = Clock(), list[str]()
    progress = _logger("label rows", 1000, clock, lines)
    for _ in range(800):
        clock.now += 0.125
        progress.add()
    assert len(lines) == 100 // SECONDS_BETWEEN_LINES
    assert lines[0] == "120 of 1000 label rows, in 15 s (8.0/s), about 110 s left."


def test_work_that_takes_less_than_an_interval_logs_nothing() -> None:
    clock, lines = Clock(), list[str]()
    progress = _logger("items", 10, clock, lines)
    for _ in range(10):
        clock.now += 1
        progress.add()
    assert lines == []


def test_without_a_total_no_time_is_promised() -> None:
    clock, lines = Clock(), list[str]()
    progress = _logger("files", None, clock, lines)
    clock.now += 60
    progress.add(30)
    assert lines == ["30 files, in 60 s (30/min)."]


def test_more_than_was_expected_is_no_negative_time() -> None:
    clock, lines = Clock(), list[str]()
    progress = _logger("files", 3, clock, lines)
    clock.now += 60
    progress.add(5)
    assert lines == ["5 of 3 files, in 60 s (5.0/min)."]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (47.6, "48 s"), (119, "119 s"), (120, "2 min"), (5399, "90 min"), (11_100, "3 h 5 min")],
)
def test_a_duration_is_as_exact_as_a_person_needs_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(75.2, "75/s"), (2.5, "2.5/s"), (1 / 30, "2.0/min"), (1 / 1800, "2.0/h"), (0, "0.0/h")],
)
def test_a_rate_is_by_second_minute_or_hour(rate: float, text: str) -> None:
    assert per_second(rate) == text


@given(st.floats(min_value=0), st.floats(min_value=0, max_value=1e300), st.integers(0), st.none() | st.integers(0))
def test_no_number_breaks_a_line(seconds: float, rate: float, done: int, total: int | None) -> None:
    assert duration(seconds)
    assert per_second(rate)
    clock = Clock()
    progress = _logger("items", total, clock, [])
    progress.done = min(done, 10**15)
    assert progress.line().startswith(f"{min(done, 10**15)}")


class TestWhatIsLogged:
    @pytest.fixture(autouse=True)
    def _each_step_is_an_interval(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        monkeypatch.setattr(progress_module, "SECONDS_BETWEEN_LINES", 0.0)
        caplog.set_level(logging.INFO)

    def test_an_export(self, caplog: pytest.LogCaptureFixture) -> None:
        clock = Clock()
        progress = ExportProgress(3, clock)
        clock.now += 2
        progress.read(2_000_000)
        assert caplog.messages == ["1 of 3 label rows read, 2.0 MB, in 2 s (30/min), about 4 s left."]

    def test_an_export_that_goes_on(self, caplog: pytest.LogCaptureFixture) -> None:
        clock = Clock()
        progress = ExportProgress(9, clock, before=6)
        clock.now += 2
        progress.read(2_000_000)
        assert caplog.messages == ["7 of 9 label rows read, 2.0 MB, in 2 s (30/min after the first 6), about 4 s left."]

    def test_an_upload_estimates_by_its_bytes(self) -> None:
        lines: list[str] = []
        progress = UploadProgress([], lambda text, *values: lines.append(text % values), clock=Clock())
        progress.log_line()
        assert lines == ["0 of 0 files: 0 uploaded, 0 already there, 0 failed; 0.0 MB (0.0 MB/s), in 0 s (0.0/h)."]

    def test_a_request_in_parts(self, caplog: pytest.LogCaptureFixture) -> None:
        flow = in_parts(list(range(5)), lambda part: Pause(len(part)), size=2)  # type: ignore[arg-type,return-value]
        assert list(flow)
        assert [message.partition(",")[0] for message in caplog.messages] == [
            *("2 of 5 items", "4 of 5 items", "5 of 5 items")
        ]

    def test_a_job_of_encord_from_the_first_poll_on(self) -> None:
        lines: list[str] = []
        progress = JobProgress(log=lambda text, *values: lines.append(text % values))
        progress.saw(JobState(status="PENDING", ended=False, succeeded=False, done=40, failed=10, pending=50))
        assert lines[0].startswith(
            "50 of 100 units of Encord's job (pending, 10 failed), in 0 s (0.0/h after the first 50)."
        )
        progress.saw(JobState(status="PENDING", ended=False, succeeded=False, done=60, failed=10, pending=30))
        assert "about" in lines[1]
        assert progress.rate * progress.seconds < 40, "what an earlier attempt saw is not counted"


def test_the_words_are_those_of_one_module() -> None:
    """Every subclass changes the details only."""
    own: Callable[..., object] = ProgressLogger.line
    assert [kind for kind in _subclasses(ProgressLogger) if kind.line is not own] == []


def _subclasses(kind: type[ProgressLogger]) -> list[type[ProgressLogger]]:
    return [found for child in kind.__subclasses__() for found in (child, *_subclasses(child))]


def test_what_was_done_before_counts_but_has_no_part_in_the_rate() -> None:
    clock, lines = Clock(), list[str]()
    progress = _logger("label rows", 5000, clock, lines)
    clock.now += 10
    progress.go_on_from(600)
    clock.now += 16
    progress.add(1200 - 600)
    assert (progress.done, progress.done_now) == (1200, 600)
    assert lines == ["1200 of 5000 label rows, in 16 s (38/s after the first 600), about 101 s left."]


def test_what_is_found_done_at_the_beginning_has_no_part_in_the_rate_and_later_finds_have() -> None:
    clock, lines = Clock(), list[str]()
    progress = _logger("label rows", 400, clock, lines)
    for known in (True, True, False, True):
        clock.now += 10
        progress.add(100, known=known)
    assert lines == [
        "200 of 400 label rows, in 0 s (0.0/h after the first 200).",
        "400 of 400 label rows, in 20 s (10/s after the first 200).",
    ]


class _State(dict[str, object]):
    """What a task keeps."""

    def __init__(self, broken: bool = False):
        super().__init__()
        self.writes, self._broken = 0, broken

    def set(self, key: str, value: object) -> None:
        self.writes += 1
        if self._broken:
            raise ConnectionError
        self[key] = value

    def delete(self, key: str) -> None:
        del self[key]


def _work(state: _State | None, seconds: int) -> list[object]:
    """Work for some seconds; what the state has after each."""
    now, found = [0.0], []
    with noted_in(state):
        progress = ProgressLogger("rows", 100, log=lambda *_: None, clock=lambda: now[0])
        for _ in range(seconds):
            now[0] += 1
            progress.add()
            found.append((state or {}).get(STATE_KEY))
    return found


def test_the_state_of_a_task_has_its_progress_while_it_runs_and_is_written_seldom() -> None:
    state = _State()
    found = _work(state, 35)
    assert found[8] is None
    assert "10 of 100 rows" in str(found[9])
    assert "30 of 100 rows" in str(found[34])
    assert (state.writes, dict(state)) == (3, {})


def test_short_work_and_older_lines_of_airflow_write_nothing() -> None:
    state = _State()
    _work(state, 9)
    assert state.writes == 0
    assert set(_work(None, 30)) == {None}


def test_a_state_that_cannot_be_written_is_left_alone_and_the_work_is_done() -> None:
    state = _State(broken=True)
    assert len(_work(state, 35)) == 35
    assert state.writes == 1


class _Waits(BaseException):
    """What Airflow raises when a task begins to wait in the triggerer."""


def test_the_progress_stays_while_a_task_waits_and_goes_when_it_has_come_back() -> None:
    state = _State()
    with contextlib.suppress(_Waits), noted_in(state, waits=_Waits):
        progress = ProgressLogger("rows", 100)
        progress.add(40)
        progress.note()
        raise _Waits
    assert "40 of 100 rows" in str(state[STATE_KEY])
    with noted_in(state, waits=_Waits, after_wait=True), noted_in(state, waits=_Waits):
        pass
    assert dict(state) == {}


def test_a_task_that_fails_leaves_no_progress() -> None:
    state = _State()
    with contextlib.suppress(OSError), noted_in(state, waits=_Waits):
        ProgressLogger("rows", 100).note()
        assert STATE_KEY in state
        raise OSError("broken")
    assert dict(state) == {}
