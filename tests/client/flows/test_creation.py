"""A thing is created just once, whatever happens between the request and its answer."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.call import Call, Flow, Request, run
from airflow_provider_encord.client.errors import (
    ConflictError,
    EncordError,
    InvalidArgumentError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    UnavailableError,
)
from airflow_provider_encord.client.flows.creation import (
    FAIL,
    IF_EXISTS,
    NEW,
    REUSE,
    Created,
    Existing,
    get_or_create,
)
from airflow_provider_encord.client.flows.datasets import create_dataset_once
from airflow_provider_encord.client.flows.ontologies import create_ontology_once
from airflow_provider_encord.client.flows.projects import create_project_once
from airflow_provider_encord.client.structure import complete_structure

FIND: Call[Any] = Call(request=Request("GET", "things"), read=lambda answer: None)
CREATE: Call[Any] = Call(request=Request("POST", "things"), read=lambda answer: None, changes=True, repeatable=False)


def find(title: str) -> Flow[Sequence[Existing]]:
    return [one if isinstance(one, Existing) else Existing(id=one) for one in (yield from FIND)]


def creation(if_exists: str = REUSE, title: str = "Cats") -> Flow[Created]:
    return get_or_create("dataset", title, find=find, create=lambda title: CREATE, id_of=str, if_exists=if_exists)


def script(*outcomes: Any) -> Any:
    """Performs the given steps in turn: what is expected, and how it ends."""
    left = list(outcomes)

    def perform(step: Any) -> Any:
        expected, outcome = left.pop(0)
        assert step is expected
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    perform.left = left  # type: ignore[attr-defined]
    return perform


LOST = OutcomeUnknownError("lost")


def at(id_: str, seconds: int) -> Existing:
    """Something that was created so many seconds after some time."""
    created = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=seconds)
    return Existing(id=id_, created_at=created.isoformat())


BRANCHES: list[tuple[str, str, list[tuple[Any, Any]], Any]] = [
    ("missing", REUSE, [(FIND, []), (CREATE, "d1"), (FIND, ["d1"])], Created(id="d1", created=True)),
    ("none, and it shows late", REUSE, [(FIND, []), (CREATE, "d1"), (FIND, [])], Created(id="d1", created=True)),
    ("none, and the look after it fails", REUSE, [(FIND, []), (CREATE, "d1"), (FIND, UnavailableError("x"))],
     Created(id="d1", created=True)),
    ("another task was first", REUSE, [(FIND, []), (CREATE, "d1"), (FIND, [at("d1", 1), at("d2", 0)])],
     Created(id="d2", created=False)),
    ("another task was later", REUSE, [(FIND, []), (CREATE, "d1"), (FIND, [at("d1", 0), at("d2", 1)])],
     Created(id="d1", created=True)),
    ("two, created together", REUSE, [(FIND, [at("d2", 9), at("d1", 3)])], Created(id="d1", created=False)),
    ("two, of one moment", REUSE, [(FIND, [at("d2", 3), at("d1", 3)])], Created(id="d1", created=False)),
    ("two, created on different days", REUSE, [(FIND, [at("d2", 99_999), at("d1", 3)])], ConflictError),
    ("there is one", REUSE, [(FIND, ["d1"])], Created(id="d1", created=False)),
    ("there are two", REUSE, [(FIND, ["d1", "d2"])], ConflictError),
    ("missing, fail", FAIL, [(FIND, []), (CREATE, "d1"), (FIND, ["d1"])], Created(id="d1", created=True)),
    ("there is one, fail", FAIL, [(FIND, ["d1"])], ConflictError),
    ("there are two, fail", FAIL, [(FIND, ["d1", "d2"])], ConflictError),
    ("new", NEW, [(CREATE, "d1")], Created(id="d1", created=True)),
    ("new, lost", NEW, [(CREATE, LOST)], OutcomeUnknownError),
    ("lost after the work", REUSE, [(FIND, []), (CREATE, LOST), (FIND, ["d1"])], Created(id="d1", created=True)),
    ("lost before the work", REUSE, [(FIND, []), (CREATE, LOST), (FIND, [])], OutcomeUnknownError),
    ("lost, then two", REUSE, [(FIND, []), (CREATE, LOST), (FIND, ["d1", "d2"])], ConflictError),
    ("lost, fail", FAIL, [(FIND, []), (CREATE, LOST), (FIND, ["d1"])], Created(id="d1", created=True)),
    ("lost, look-up fails", REUSE, [(FIND, []), (CREATE, LOST), (FIND, UnavailableError("x"))], UnavailableError),
    ("the look-up fails", REUSE, [(FIND, PermissionDeniedError("x"))], PermissionDeniedError),
    ("refused", REUSE, [(FIND, []), (CREATE, PermissionDeniedError("x"))], PermissionDeniedError),
    ("never sent", REUSE, [(FIND, []), (CREATE, UnavailableError("x"))], UnavailableError),
    ("slow down", REUSE, [(FIND, []), (CREATE, RateLimitedError("x", retry_after=90))], RateLimitedError),
]  # fmt: skip


@pytest.mark.parametrize(("what", "if_exists", "steps", "ending"), BRANCHES, ids=[row[0] for row in BRANCHES])
def test_every_branch(what, if_exists, steps, ending):
    perform = script(*steps)
    if isinstance(ending, Created):
        assert run(creation(if_exists), perform) == ending
    else:
        with pytest.raises(ending):
            run(creation(if_exists), perform)
    assert perform.left == []


def test_several_of_a_title_are_listed():
    with pytest.raises(ConflictError, match=r"2 datasets are titled 'Cats': d1, d2\. Pass the id"):
        run(creation(), script((FIND, ["d1", "d2"])))


def test_the_one_that_is_in_the_way_is_named():
    with pytest.raises(ConflictError, match=r"dataset titled 'Cats' exists already \(d1\)"):
        run(creation(FAIL), script((FIND, ["d1"])))


@pytest.mark.parametrize("if_exists", ["", "Reuse", "skip", None])
def test_an_unknown_choice_is_refused_before_anything_is_asked(if_exists):
    with pytest.raises(InvalidArgumentError, match=r"if_exists.*reuse, fail, new"):
        run(creation(if_exists), script())


@pytest.mark.parametrize("title", ["", "  ", "\n", None, 7])
@pytest.mark.parametrize("if_exists", IF_EXISTS)
def test_a_title_that_is_none_is_refused_before_anything_is_asked(if_exists, title):
    with pytest.raises(InvalidArgumentError, match="title"):
        run(creation(if_exists, title), script())


# Interleavings

FINE, LOST_BEFORE, LOST_AFTER, REFUSED, CRASH_BEFORE, CRASH_AFTER = (
    "fine", "lost before", "lost after", "refused", "crash before", "crash after",
)  # fmt: skip
FAULTS = st.sampled_from([FINE, FINE, LOST_BEFORE, LOST_AFTER, REFUSED, CRASH_BEFORE, CRASH_AFTER])


class Crash(BaseException):
    """The worker dies."""


@dataclasses.dataclass
class Encord:
    """Holds things by title and lets requests fail as given."""

    faults: list[str]
    things: list[str] = dataclasses.field(default_factory=list)

    def perform(self, step: Any) -> Any:
        fault = self.faults.pop(0) if self.faults else FINE
        if fault == CRASH_BEFORE:
            raise Crash
        if fault == REFUSED:
            raise UnavailableError("never connected")
        if step is FIND:
            return self._find(fault)
        if fault == LOST_BEFORE:
            raise OutcomeUnknownError("lost")
        self.things.append(f"d{len(self.things)}")
        if fault == LOST_AFTER:
            raise OutcomeUnknownError("lost")
        if fault == CRASH_AFTER:
            raise Crash
        return self.things[-1]

    def _find(self, fault: str) -> list[str]:
        if fault in (LOST_BEFORE, LOST_AFTER):
            raise UnavailableError("cut")
        if fault == CRASH_AFTER:
            raise Crash
        return list(self.things)


def attempt(encord: Encord, if_exists: str) -> Created | BaseException:
    try:
        return run(creation(if_exists), encord.perform)
    except (EncordError, Crash) as error:
        return error


@given(faults=st.lists(FAULTS, max_size=12), tries=st.integers(1, 6))
def test_tried_again_until_it_succeeds_there_is_one_whatever_fails(faults, tries):
    encord = Encord(list(faults))
    outcomes = [attempt(encord, REUSE) for _ in range(tries + len(faults))]
    outcomes.append(attempt(encord, REUSE))
    assert encord.things == ["d0"]
    assert isinstance(outcomes[-1], Created)
    assert {outcome.id for outcome in outcomes if isinstance(outcome, Created)} == {"d0"}
    assert sum(1 for one in outcomes if isinstance(one, Created) and one.created) <= 1
    assert all(
        isinstance(one, Created | Crash) or one.retryable  # type: ignore[union-attr]
        for one in outcomes
    )


@given(faults=st.lists(FAULTS, max_size=6))
def test_fail_never_makes_a_second_one(faults):
    encord = Encord(list(faults))
    for _ in range(len(faults) + 1):
        attempt(encord, FAIL)
    assert encord.things == ["d0"]
    assert isinstance(attempt(encord, FAIL), ConflictError)


# The three kinds


@pytest.mark.parametrize(
    ("flow", "listed", "created"),
    [
        (
            lambda: create_project_once("Cats", if_exists=REUSE, description="d"),
            "projects.list",
            "project.create",
        ),
        (lambda: create_dataset_once("Cats", if_exists=REUSE), "datasets.list", "dataset.create"),
        (lambda: create_ontology_once("Cats", if_exists=REUSE, structure=None), "ontology.list", "ontology.create"),
    ],
)
def test_each_kind_is_looked_for_by_its_exact_title_first(flow, listed, created):
    running = flow()
    look = next(running)
    assert look.operation == listed
    assert look.request.query["titleEq"] == "Cats"
    assert not look.changes
    running.close()
    steps: list[str] = []

    def perform(step: Any) -> Any:
        steps.append(step.operation)
        return _StopError.stop() if step.changes else _nothing(step)

    with pytest.raises(_StopError):
        run(flow(), perform)
    assert steps == [listed, created]


class _StopError(Exception):
    @classmethod
    def stop(cls) -> None:
        raise cls


def _nothing(step: Any) -> Any:
    """What a listing without results is read as."""
    return step.read(b'{"results": [], "result": []}')


@pytest.mark.parametrize(
    ("flow", "row"),
    [
        (lambda: create_project_once("Cats", if_exists=REUSE), b'{"results":[{"projectHash":"%s","title":"%s"}]}'),
        (lambda: create_dataset_once("Cats", if_exists=REUSE), b'{"result":[{"datasetUuid":"%s","title":"%s"}]}'),
        (
            lambda: create_ontology_once("Cats", if_exists=REUSE, structure=None),
            b'{"results":[{"ontologyUuid":"%s","title":"%s"}]}',
        ),
    ],
)
def test_a_title_that_differs_is_not_taken_for_the_same_even_if_encord_lists_it(flow, row):
    def perform_with(title: bytes) -> Any:
        def perform(step: Any) -> Any:
            return step.read(row % (b"x1", title)) if not step.changes else _StopError.stop()

        return perform

    assert run(flow(), perform_with(b"Cats")) == Created(id="x1", created=False)
    for other in (b"cats", b"Cats ", b"Cats2"):
        with pytest.raises(_StopError):
            run(flow(), perform_with(other))


# What is reused may differ


def listing_of(**fields: Any) -> Any:
    """Performs the look for a title, which finds one thing with these fields, and nothing else."""

    def perform(step: Any) -> Any:
        assert not step.changes
        key = "result" if step.operation == "datasets.list" else "results"
        return step.read(json.dumps({key: [{"title": "Cats", **fields}]}).encode())

    return perform


def structure(*objects: tuple[str, str], **more: Any) -> dict[str, Any]:
    return complete_structure({"objects": [{"name": name, "shape": shape} for name, shape in objects], **more})


PROJECT: dict[str, Any] = {"projectHash": "p1", "description": "of ours", "ontologyHash": "o1"}
DATASET: dict[str, Any] = {"datasetUuid": "d1", "description": "of ours", "backingFolderUuid": "f1"}
ONTOLOGY: dict[str, Any] = {"ontologyUuid": "o1", "description": "", "editor": structure(("Car", "polygon"))}


@pytest.mark.parametrize(
    ("create", "arguments", "there", "differs"),
    [
        (create_project_once, {}, PROJECT, None),
        (create_project_once, {"description": "of ours", "ontology": "O1"}, PROJECT, None),
        (create_project_once, {"ontology": "o2"}, {**PROJECT, "ontologyHash": None}, None),
        (create_project_once, {"datasets": ["d9"]}, PROJECT, None),
        (create_project_once, {"ontology": "o2"}, PROJECT, "its ontology is o1, but o2 was requested"),
        (create_project_once, {"description": "of mine"}, PROJECT, "its description differs"),
        (create_dataset_once, {}, DATASET, None),
        (create_dataset_once, {"description": "of ours", "create_backing_folder": True}, DATASET, None),
        (create_dataset_once, {"description": "of mine"}, DATASET, "its description differs"),
        (
            create_dataset_once,
            {"create_backing_folder": False},
            DATASET,
            "it has a backing folder, but none was requested",
        ),
        (create_ontology_once, {"structure": None}, ONTOLOGY, None),
        (create_ontology_once, {"structure": {"objects": [{"name": "Car", "shape": "polygon"}]}}, ONTOLOGY, None),
        (
            create_ontology_once,
            {"structure": {"objects": [{"name": "Car", "shape": "bounding_box"}, {"name": "Tree", "shape": "point"}]}},
            ONTOLOGY,
            "it lacks object Tree; object Car is polygon, not bounding_box",
        ),
        (create_ontology_once, {"structure": None, "description": "x"}, ONTOLOGY, "its description differs"),
    ],
)
def test_what_is_reused_and_differs_is_warned_of_without_another_request(create, arguments, there, differs, caplog):
    flow = create("Cats", if_exists=REUSE, **arguments)
    assert not run(flow, listing_of(**there)).created
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    if differs is None:
        assert warnings == []
    else:
        (warning,) = warnings
        assert differs in warning
        assert "'Cats'" in warning


def test_what_was_made_in_the_gap_is_not_warned_of(caplog):
    steps = iter(
        [b'{"results": []}', None, b'{"results": [{"projectHash": "p1", "title": "Cats", "ontologyHash": "o1"}]}']
    )

    def perform(step: Any) -> Any:
        answer = next(steps)
        if answer is None:
            raise LOST
        return step.read(answer)

    made = run(create_project_once("Cats", if_exists=REUSE, ontology="o2"), perform)
    assert (made, caplog.records) == (Created(id="p1", created=True), [])


def test_an_ontology_of_the_title_is_found_on_a_later_page():
    asked: list[Any] = []
    pages = {
        None: b'{"results": [{"ontologyUuid": "x", "title": "Cats 2"}], "nextPageToken": "more"}',
        "more": b'{"results": [{"ontologyUuid": "o1", "title": "Cats"}], "nextPageToken": null}',
    }

    def perform(step: Any) -> Any:
        assert not step.changes, "it was not found"
        asked.append((step.request.query["titleEq"], step.request.query["pageToken"]))
        return step.read(pages[asked[-1][1]])

    made = run(create_ontology_once("Cats", if_exists=REUSE, structure=None), perform)
    assert (made, asked) == (Created(id="o1", created=False), [("Cats", None), ("Cats", "more")])


def test_ontologies_of_one_title_on_two_pages_are_both_reported():
    pages = iter([b'{"results": [{"ontologyUuid": "o1", "title": "Cats"}], "nextPageToken": "more"}',
                  b'{"results": [{"ontologyUuid": "o2", "title": "Cats"}]}'])  # fmt: skip
    with pytest.raises(ConflictError, match=r"2 ontologies are titled 'Cats': o1, o2"):
        run(create_ontology_once("Cats", if_exists=REUSE, structure=None), lambda step: step.read(next(pages)))


def test_a_title_is_sent_composed_and_looked_for_both_ways():
    """Fault 14.3."""
    composed, decomposed = "Caf\u00e9", "Cafe\u0301"
    asked: list[str] = []

    def perform(step: Any) -> Any:
        assert not step.changes
        asked.append(step.request.query["titleEq"])
        found = [{"datasetUuid": "d1", "title": decomposed}] if asked[-1] == decomposed else []
        return step.read(json.dumps({"result": found}).encode())

    for title in (composed, decomposed):
        asked.clear()
        assert run(create_dataset_once(title, if_exists=REUSE), perform) == Created(id="d1", created=False)
        assert asked == [composed, decomposed]
