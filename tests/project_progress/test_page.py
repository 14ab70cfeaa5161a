"""The page: the same bytes for the same history, nothing from outside, and what is missing or wrong is said."""

from __future__ import annotations

import datetime
import html.parser
import random
import re
import uuid

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.history.daily import ProjectDays, summary_of
from airflow_provider_encord.history.reading import ProjectHistory
from airflow_provider_encord.history.records import (
    ActivityOfDay,
    ActivitySeen,
    Event,
    Fact,
    LabelsSeen,
    ProjectSeen,
    StageCount,
    StagesSeen,
    StageType,
    record_of,
)
from airflow_provider_encord.history.store import Problems
from airflow_provider_encord.project_progress.page import page_of
from airflow_provider_encord.project_progress.progress import ProjectProgress, progress_of

PROJECT = str(uuid.UUID(int=7))
NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
STAGES = [("a", "Annotate", "ANNOTATION"), ("r", "Review", "REVIEW"), ("d", "Complete", "DONE")]
SEEN = ProjectSeen(
    title="Street <scenes> & more",
    status="inProgress",
    stages=[StageType(stage_id=uid, title=title, stage_type=kind) for uid, title, kind in STAGES],
    host="api.encord.com",
)
_VOID = {"meta", "rect", "path", "polygon", "polyline"}


def counts(annotate: int, review: int, done: int) -> StagesSeen:
    numbers = (annotate, review, done)
    stages = [
        StageCount(stage_id=uid, title=title, tasks=number)
        for (uid, title, _), number in zip(STAGES, numbers, strict=True)
    ]
    return StagesSeen(stages=stages, whole=True)


def history(*facts: tuple[float, Fact], problems: Problems | None = None) -> ProjectHistory:
    """A history of facts, each with the number of days since it was true."""
    records = [record_of(PROJECT, fact, NOW - ago * DAY) for ago, fact in facts]
    return ProjectHistory(PROJECT, summary_of(records), problems or Problems())


def lively(days: int = 60) -> ProjectHistory:
    """A project of 1,000 tasks, of which 10 are done each day."""
    chance = random.Random(5)
    facts: list[tuple[float, Fact]] = [(1, SEEN)]
    for ago in range(days, 0, -1):
        done = 10 * (days - ago)
        facts.append((ago, counts(1000 - done - 20, 20, done)))
        day = (NOW - ago * DAY).date()
        activity = ActivityOfDay(
            day=day.isoformat(),
            stage_id="r",
            submitted=0,
            approved=9,
            rejected=chance.randrange(3),
            seconds=600,
            timed_tasks=5,
        )
        end = (day + DAY).isoformat()
        seen = ActivitySeen(start=day.isoformat(), end=end, actions=True, time_spent=True, final=True, days=[activity])
        facts.append((ago - 0.5, seen))
    return history(*facts)


@pytest.mark.parametrize(
    ("web_app", "address"),
    [
        ("https://labels.example.com/app", f"https://labels.example.com/app/projects/view/{PROJECT}/summary"),
        (None, None),
        ("javascript:alert(1)//", None),
    ],
)
def test_the_project_of_a_private_installation_is_linked_if_the_connection_named_its_web_app(
    web_app: str | None, address: str | None
) -> None:
    seen = msgspec.structs.replace(SEEN, host="api.labels.example.com", web_app=web_app)
    page = page_of(progress_of(history((1, seen), (1, counts(3, 2, 1))), NOW))
    assert [one for one in outline(page).addresses if not one.startswith("#")] == ([address] if address else [])
    assert "javascript" not in page


class Outline(html.parser.HTMLParser):
    """Checks that tags are closed, and collects what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.ids += [value or "" for name, value in attributes if name == "id"]
        self.addresses += [value or "" for name, value in attributes if name in ("href", "src", "xlink:href")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    return found


def texts(progress: ProjectProgress) -> list[str]:
    return [f"{finding.severity}: {finding.text}" for finding in progress.findings]


def test_the_page_needs_nothing_from_outside() -> None:
    page = page_of(progress_of(lively(), NOW))
    found = outline(page)
    assert found.addresses == [f"https://app.encord.com/projects/view/{PROJECT}/summary"]
    assert not {"script", "link", "img", "iframe"} & set(found.seen)
    assert "url(" not in page
    assert "@import" not in page
    assert found.seen.count("svg") == 5
    assert found.seen.count("h1") == 1


def test_every_plot_is_named_and_has_a_table() -> None:
    page = page_of(progress_of(lively(), NOW))
    names = re.findall(r'<svg role="img" aria-labelledby="(\S+) (\S+)"', page)
    assert len(names) == page.count("<details>") == 5
    for title, about in names:
        assert f'<title id="{title}">' in page
        assert f'<desc id="{about}">' in page


def test_titles_are_text_and_no_tags() -> None:
    page = page_of(progress_of(lively(), NOW))
    assert "Street &lt;scenes&gt; &amp; more" in page
    assert "<scenes>" not in page


def test_the_same_history_has_the_same_bytes() -> None:
    one, other = (page_of(progress_of(lively(), NOW, due=NOW.date())) for _ in range(2))
    assert re.sub(r"[0-9a-f]{16}", "", one) == re.sub(r"[0-9a-f]{16}", "", other)


def test_progress_is_json_for_an_api() -> None:
    progress = progress_of(lively(), NOW, due=NOW.date())
    assert msgspec.json.decode(msgspec.json.encode(progress), type=ProjectProgress) == progress


def test_an_empty_history_is_said_and_nothing_is_drawn() -> None:
    page = page_of(progress_of(ProjectHistory(PROJECT, ProjectDays(), Problems()), NOW))
    assert outline(page).seen.count("svg") == 0
    for words in (
        "from an empty history",
        "The history says nothing yet.",
        "no count of all tasks",
        "no count of a stage",
        "The history has no reviews.",
        "The history has no time spent.",
    ):
        assert words in page


def test_damage_is_said_with_examples() -> None:
    problems = Problems(wrong=2, newer=3, files=1, examples=["month-2026-01, line 3: <it> is not a record"])
    page = page_of(progress_of(history((1, SEEN), problems=problems), NOW))
    assert "3 lines or files are damaged, and 3 records are of a newer version" in page
    assert "&lt;it&gt; is not a record" in page


def test_a_project_that_will_be_late_says_since_when() -> None:
    progress = progress_of(lively(), NOW, due=datetime.date(2026, 12, 31))
    (late,) = [finding for finding in progress.findings if finding.severity == "late"]
    assert "It is due on 31 December 2026; but at this pace it is done about" in late.text
    assert late.since == datetime.date(2026, 10, 18)  # as soon as a forecast could be made


def test_a_project_in_time_has_no_finding() -> None:
    assert texts(progress_of(lively(), NOW, due=datetime.date(2027, 12, 31))) == []


def test_a_date_that_is_over_is_late_by_itself() -> None:
    assert texts(progress_of(lively(), NOW, due=datetime.date(2026, 11, 1)))[0] == (
        "late: It was due on 1 November 2026, and 410 tasks remain."
    )


def test_a_stage_that_no_task_leaves_is_named_with_its_day() -> None:
    facts: list[tuple[float, Fact]] = [(1, SEEN), (40, counts(100, 5, 0)), (30, counts(90, 4, 11))]
    facts += [(ago, counts(90 - 2 * (20 - ago), 4 + 2 * (20 - ago), 11)) for ago in range(20, 0, -1)]
    progress = progress_of(history(*facts), NOW)
    review = progress.stages[1]
    assert (review.title, review.tasks, review.still_since) == ("Review", 42, datetime.date(2026, 10, 31))
    assert not review.at_least
    assert progress.stages[2].still_since is None  # it is final
    assert "No task is known to have left the stage 'Review' for 30 days; 42 are in it." in " ".join(texts(progress))
    assert progress.forecast.verdict == "no_progress"


def test_a_review_shows_that_a_stage_is_alive() -> None:
    day = ActivityOfDay(day="2026-11-28", stage_id="r", submitted=0, approved=1, rejected=0)
    seen = ActivitySeen(start="2026-11-28", end="2026-11-29", actions=True, time_spent=False, final=False, days=[day])
    facts = [(30, counts(9, 9, 0)), (1, SEEN), (1, counts(0, 18, 0)), (0.5, seen)]
    assert progress_of(history(*facts), NOW).stages[1].still_since == datetime.date(2026, 11, 28)


def test_a_failed_gate_and_an_old_history_are_named() -> None:
    gate = Event(event="gate", outcome="failed", counts={"agreement": 0.5}, uri="s3://b/gate.html")
    found = texts(progress_of(history((9, SEEN), (9, counts(1, 2, 3)), (8, gate)), NOW))
    assert "warning: The last quality gate failed; its report is s3://b/gate.html." in found
    assert any("9 days old" in text for text in found)


def test_without_final_stages_rows_with_labels_count() -> None:
    facts = [(ago, LabelsSeen(rows=100, labelled=100 - ago)) for ago in range(30, 0, -1)]
    progress = progress_of(history(*facts), NOW)
    assert (progress.measure, progress.points[-1].done) == ("labels", 99)
    assert "99 of 100" in page_of(progress)
    assert "7 label rows were done" in progress.forecast.sentence


def test_what_a_wrong_clock_wrote_is_not_drawn() -> None:
    progress = progress_of(history((1, SEEN), (1, counts(5, 5, 0)), (-40, counts(0, 0, 10))), NOW)
    assert [point.day for point in progress.points] == [datetime.date(2026, 11, 29)]
    assert progress.stages[0].tasks == 5


NUMBERS = st.integers(0, 10**7)
FACTS = st.one_of(
    st.builds(counts, NUMBERS, NUMBERS, NUMBERS),
    st.builds(lambda rows, rest: LabelsSeen(rows=rows + rest, labelled=rows), NUMBERS, NUMBERS),
    st.builds(
        lambda title, tasks: StagesSeen(stages=[StageCount(stage_id="x", title=title, tasks=tasks)], whole=False),
        st.text(),
        NUMBERS,
    ),
    st.builds(Event, event=st.text(), outcome=st.text(), uri=st.none() | st.text()),
    st.builds(lambda title: ProjectSeen(title=title, stages=SEEN.stages), st.text()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), FACTS), max_size=20))
def test_every_history_has_a_page(facts: list[tuple[int, Fact]]) -> None:
    outline(page_of(progress_of(history(*facts), NOW, due=NOW.date(), draws=20)))


@pytest.mark.parametrize("measure", ["stages", "labels"])
def test_a_year_of_a_project_is_read_and_drawn_in_little_space(measure: str) -> None:
    facts: list[tuple[float, Fact]] = [(1, SEEN)]
    for ago in range(365, 0, -1):
        labels = LabelsSeen(rows=1000, labelled=365 - ago)
        facts.append((ago, counts(ago, 10, 365 - ago) if measure == "stages" else labels))
    page = page_of(progress_of(history(*facts), NOW))
    assert len(page) < 200_000
