"""All faults in one run of an agent: `@task.encord_agent`, and the `Runner` of encord-agents, on one emulator.

The function raises for 1 % of the tasks until its model works again. While it runs, a person takes 1 % of the tasks and
labels another 1 %. Encord refuses bundles of labels, answers 503, and cuts connections after it has moved tasks. Three
workers are killed at 20, 40 and 60 %. At 70 % one is stopped, and goes on beside the next one. Then the task is retried
until it succeeds, and cleared. Prints a line of JSON for each contender. What happened is read from the emulator.
"""
# Without `from __future__ import annotations`, because both contenders read those of functions, whose types are local.

import argparse
import dataclasses
import functools
import json
import multiprocessing
import os
import pathlib
import signal
import tempfile
import time
import types
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

import psutil

from airflow_provider_encord.client.api.workflow import TaskFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.resources.projects import Project
from airflow_provider_encord.client.transport.settings import Settings
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator

AGENT, PERSON = "agent@example.com", "person@example.com"
TAKE, LABEL = "take", "label"
STAGES: list[dict[str, Any]] = [
    {"stageType": "ANNOTATION", "title": "Annotate"},
    {"stageType": "AGENT", "title": "Agent", "pathways": [{"title": "done", "to": "Complete"}]},
    {"stageType": "DONE", "title": "Complete"},
]
BOX = {"x": 0.125, "y": 0.25, "w": 0.5, "h": 0.25}
CAR = {"feature": "Car", "boundingBox": BOX}
KILLED_AT, STOPPED_AT, CONTINUED_AT = (0.2, 0.4, 0.6), 0.7, 0.8  # shares of the tasks for which the function was called
ATTEMPTS = 6  # after the faults
PATIENCE = 1800.0  # seconds until something must have happened
FAULTS: list[dict[str, Any]] = [
    {
        "match": {"query_type": "labelrow", "query_method": "POST"},
        "when": {"every": 40},
        "do": {"v1_error": "INVALID_ARGUMENTS_ERROR"},
    },
    {"match": {"path": "/actions$"}, "when": {"every": 7}, "do": {"cut": "after"}},
    {"match": {"path": "."}, "when": {"every": 50}, "do": {"status": 503, "headers": {"Retry-After": "0"}}},
]
Start = Callable[..., BaseProcess]


@dataclasses.dataclass(frozen=True)
class Site:
    """What a worker must know, in values that can be pickled.

    :param directory: For the report, the cache, and the notes of the model.
    """

    url: str
    private_key: str
    key_of_the_person: str
    project_id: str
    directory: str
    commit_every: int

    @property
    def calls(self) -> pathlib.Path:
        """A line for each call: the data hash, and the id of the process."""
        return pathlib.Path(self.directory, "calls")

    @property
    def broken(self) -> pathlib.Path:
        """The data units for which the model is down; without the file, it works."""
        return pathlib.Path(self.directory, "broken.json")

    @property
    def people(self) -> pathlib.Path:
        """What a person does while the function runs: ``take`` or ``label``, by data hash."""
        return pathlib.Path(self.directory, "people.json")

    @property
    def done(self) -> pathlib.Path:
        """The directory with a file for each data unit on which the person has acted."""
        return pathlib.Path(self.directory, "done")

    @property
    def report(self) -> pathlib.Path:
        """The report of our contender."""
        return pathlib.Path(self.directory, "report.jsonl")

    @property
    def cache(self) -> pathlib.Path:
        """The cache of our contender."""
        return pathlib.Path(self.directory, "cache")

    def model(self, data_hash: str) -> None:
        """What is paid for."""
        with self.calls.open("a") as calls:
            calls.write(f"{data_hash} {os.getpid()}\n")
        if data_hash in _decoded(self.broken):
            raise RuntimeError("the model is down")
        deed = _decoded(self.people).get(data_hash)
        if deed is not None and not (self.done / data_hash).exists():
            self._act(deed, data_hash)

    def _act(self, deed: str, data_hash: str) -> None:
        (self.done / data_hash).touch()
        if deed == LABEL:
            Emulator(self.url).annotate(self.project_id, data_hashes=[data_hash], objects_per_row=2)
            return
        with EncordClient(SshKey.parse(self.key_of_the_person), Settings(base_url=self.url)) as client:
            stage = client.project(self.project_id).stage("Agent")
            stage.move(list(stage.tasks(TaskFilter(data_hashes=[data_hash]))), "Annotate")


def _decoded(path: pathlib.Path) -> dict[str, str]:
    return _read(path) if path.exists() else {}


@functools.lru_cache
def _read(path: pathlib.Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text())
    return found


def ours(site: Site) -> None:
    """One attempt of a task with our decorator."""
    from airflow_provider_encord.agents import AgentResult, Task
    from airflow_provider_encord.decorators.agent import encord_agent_task

    def handle(task: Task) -> AgentResult:
        site.model(task.data_hash)
        return AgentResult("done", {"objects": [CAR]})

    os.environ["AIRFLOW_CONN_ENCORD_DEFAULT"] = json.dumps(
        {"conn_type": "encord", "host": site.url, "extra": {"private_key": site.private_key}}
    )
    decorate = encord_agent_task(
        task_id="agent",
        project_id=site.project_id,
        stage="Agent",
        batch_size=1_000_000,
        commit_every=site.commit_every,
        report=str(site.report),
        cache=str(site.cache),
    )
    instance = types.SimpleNamespace(dag_id="dag", run_id="run", task_id="agent", map_index=-1, stats_tags={})
    instance.xcom_push = lambda **_: None
    decorate(handle)().operator.execute({"ti": instance})


def runner(site: Site) -> None:
    """One run of encord-agents' `Runner`."""
    from encord import EncordUserClient
    from encord.objects.coordinates import BoundingBoxCoordinates
    from encord.objects.ontology_labels_impl import LabelRowV2
    from encord.objects.ontology_object import Object
    from encord.workflow.stages.agent import AgentTask
    from encord_agents.core.data_model import LabelRowInitialiseLabelsArgs
    from encord_agents.tasks import Runner
    from encord_agents.tasks.models import TaskAgentReturnStruct

    client = EncordUserClient.create_with_ssh_private_key(site.private_key, domain=site.url)
    found = Runner(project_hash=site.project_id, user_client=client)

    @found.stage("Agent", label_row_initialise_labels_args=LabelRowInitialiseLabelsArgs())
    def handle(task: AgentTask, label_row: LabelRowV2) -> TaskAgentReturnStruct:
        site.model(str(task.data_hash))
        instance = label_row.ontology_structure.get_child_by_title("Car", type_=Object).create_instance()
        box = BoundingBoxCoordinates(top_left_x=BOX["x"], top_left_y=BOX["y"], width=BOX["w"], height=BOX["h"])
        instance.set_for_frames(box, frames=0)
        label_row.add_object_instance(instance)
        return TaskAgentReturnStruct(pathway="done", label_row=label_row)

    found(task_batch_size=site.commit_every)


CONTENDERS: dict[str, Callable[[Site], None]] = {"ours": ours, "encord-agents Runner": runner}


def forked(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Start a worker, as a fork of this process, which has no threads."""
    process = multiprocessing.get_context("fork").Process(target=_quietly, args=(work, arguments))
    process.start()
    return process


def _quietly(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    work(*arguments)


class Play:
    """One contender with all faults.

    :param start: Starts a function in a process of its own.
    """

    def __init__(self, emulator: Emulator, name: str, directory: str, tasks: int, commit_every: int, start: Start):
        self._emulator, self._name, self._start = emulator, name, start
        self._keys = {email: KeyPair.generate() for email in (AGENT, PERSON)}
        for email, key in self._keys.items():
            emulator.authorize(key.public, email=email)
        template = emulator.template(f"agent {name}", STAGES)["uuid"]
        made = emulator.project(owner=AGENT, title=f"Agents {name}", rows=tasks, template=template)
        keys = self._keys[AGENT].private, self._keys[PERSON].private
        self.site = Site(emulator.url, *keys, made["project_id"], directory, commit_every)
        with self._client() as client:
            project = client.project(self.site.project_id)
            project.add_users([PERSON], "admin")
            project.stage("Annotate").move(list(project.stage("Annotate").tasks()), "Agent")
            self.data = {task.uuid: task.data_hash for task in project.stage("Agent").tasks()}
        hashes = list(self.data.values())
        self.broken, self.edited, self.taken = (set(hashes[start::100]) for start in (25, 50, 75))
        self.in_flight: set[str] = set()
        self.errors = self.attempts = 0
        self.site.broken.write_text(json.dumps(dict.fromkeys(self.broken, "")))
        self.site.people.write_text(json.dumps(dict.fromkeys(self.edited, LABEL) | dict.fromkeys(self.taken, TAKE)))
        self.site.done.mkdir()

    def run(self) -> dict[str, Any]:
        """Play, and count."""
        began = time.monotonic()
        self._emulator.faults(FAULTS)
        for share in KILLED_AT:
            worker = self._worker()
            if self._until(share, worker):
                worker.kill()
            self._end(worker)
            self._note_what_was_in_flight()
        older = self._worker()
        if self._until(STOPPED_AT, older) and older.pid is not None:
            _stop(older.pid)
            self._note_what_was_in_flight()
            before = len(self._calls_of(older.pid))
            newer = self._worker()
            self._until(CONTINUED_AT, newer)
            os.kill(older.pid, signal.SIGCONT)
            self._end(newer)
            self._end(older)
            # It may have looked for this result right before it was stopped; no cache can know what came after.
            self.in_flight.update(self._calls_of(older.pid)[before : before + 1])
        else:
            self._end(older)
        self._emulator.clear_faults()
        self.site.broken.unlink()  # the model works again
        succeeded = 0
        for _ in range(ATTEMPTS):
            succeeded += self._end(self._worker())
            if succeeded == 2:  # the last one is a clear: there is nothing left to do
                break
        return self._counts(time.monotonic() - began)

    def _worker(self) -> BaseProcess:
        self.attempts += 1
        return self._start(CONTENDERS[self._name], self.site)

    def _until(self, share: float, worker: BaseProcess) -> bool:
        """Wait until the function was called for a share of the tasks; False if the worker ended before."""
        deadline = time.monotonic() + PATIENCE
        while (called := len(self._called())) < share * len(self.data):
            if not worker.is_alive():
                return False
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._name}: {called} calls, and no more")
            time.sleep(0.02)
        return True

    def _end(self, worker: BaseProcess) -> bool:
        """Wait for the end of a worker; whether it succeeded."""
        worker.join(PATIENCE)
        if worker.exitcode is None:
            raise RuntimeError(f"{self._name}: a worker did not end")
        self.errors += worker.exitcode not in (0, -signal.SIGKILL)
        return worker.exitcode == 0

    def _note_what_was_in_flight(self) -> None:
        """The call whose result was not stored yet when the worker was killed or stopped: no cache can have it."""
        answered = [data for data in self._called() if data not in self.broken]  # in the order of their first calls
        stored = len(list(self.site.cache.glob("*.json"))) if self.site.cache.exists() else 0
        if stored < len(answered):
            self.in_flight.add(answered[-1])

    def _called(self) -> Counter[str]:
        return Counter(data_hash for data_hash, _ in self._calls())

    def _calls_of(self, process_id: int) -> list[str]:
        return [data_hash for data_hash, process in self._calls() if int(process) == process_id]

    def _calls(self) -> list[list[str]]:
        lines = self.site.calls.read_text().splitlines() if self.site.calls.exists() else []
        return [line.split() for line in lines]

    def _client(self) -> EncordClient:
        return EncordClient(SshKey.parse(self.site.private_key), Settings(base_url=self.site.url))

    def _counts(self, seconds: float) -> dict[str, Any]:
        """What the emulator knows, and what the report says."""
        with self._client() as client:
            project = client.project(self.site.project_id)
            moved, here = _moved(project), {task.uuid for task in project.stage("Agent").tasks()}
        rows = {row["data_hash"]: _boxes(row) for row in self._emulator.labels(self.site.project_id)}
        drawn = {task: rows.get(data, (0, 0))[0] for task, data in self.data.items()}
        gone = [task for task in self.data if not moved[task] and task not in here]
        calls = self._called()
        excused = self.broken | self.edited | (self.in_flight if self._name == "ours" else set())
        return {
            "contender": self._name,
            "tasks": len(self.data),
            "attempts": self.attempts,
            "errors_raised": self.errors,
            "handled": len(moved),
            "taken_by_the_person": sum(self.data[task] in self.taken for task in gone),
            "left": len(here),
            "lost": sum(self.data[task] not in self.taken for task in gone) + sum(not drawn[task] for task in moved),
            "repeated": sum(moved[task] > 1 or drawn[task] > 1 for task in self.data),
            "edits_overwritten": sum(rows.get(data, (0, 0))[1] < 2 for data in self.edited),
            "model_calls": sum(calls.values()),
            "model_calls_repeated": sum(count - 1 for data, count in calls.items() if data not in excused),
            "calls_in_flight": len(self.in_flight) if self._name == "ours" else None,
            **self._of_the_report(moved),
            "seconds": round(seconds, 1),
        }

    def _of_the_report(self, moved: Counter[str]) -> dict[str, int]:
        """Nothing, if the contender writes no report."""
        if not self.site.report.exists():
            return {}
        lines = [json.loads(line) for line in self.site.report.read_text().splitlines()]
        reported = {line["id"] for line in lines}
        said = {line["id"] for line in lines if line["outcome"] == "updated"}
        return {
            "lines": len(lines),
            "lines_too_many": len(lines) - len(reported),
            "handled_without_a_line": len(set(moved) - said),
            "reported_but_not_handled": len(said - set(moved)),
        }


def _stop(process_id: int) -> None:
    """Stop a process, and wait until it has stopped."""
    os.kill(process_id, signal.SIGSTOP)
    deadline = time.monotonic() + PATIENCE
    while psutil.Process(process_id).status() != psutil.STATUS_STOPPED:
        if time.monotonic() > deadline:
            raise RuntimeError(f"process {process_id} did not stop")
        time.sleep(0.005)


def _moved(project: Project) -> Counter[str]:
    """How often the agent has moved each task."""
    actions = project.activity.task_actions("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z", user_emails=[AGENT])
    return Counter(action.task_uuid for action in actions if action.action_type == "submit")


def _boxes(row: dict[str, Any]) -> tuple[int, int]:
    """How many objects of a row are the agent's, and how many are not."""
    objects = [one for unit in row["data_units"].values() for one in unit["labels"].get("objects", ())]
    ours_ = sum(all(abs(one.get("boundingBox", {}).get(key, -1) - BOX[key]) < 1e-6 for key in BOX) for one in objects)
    return ours_, len(objects) - ours_


def play(
    emulator: Emulator, name: str, *, tasks: int, commit_every: int = 100, start: Start = forked
) -> dict[str, Any]:
    """Play one contender, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="agent-faults-") as directory:
        return Play(emulator, name, directory, tasks, commit_every, start).run()


def main() -> None:
    """Play the contenders."""
    parser = argparse.ArgumentParser(prog="agent_faults", description=__doc__)
    parser.add_argument("--tasks", type=int, help="tasks in the agent stage")
    parser.add_argument("--commit-every", type=int, help="tasks of a commit, or of a batch of the Runner")
    parser.add_argument("--only", choices=list(CONTENDERS), help="one contender")
    options = parse(parser, tasks=Sizes(200, 1000), commit_every=Sizes(20, 100))
    with Emulator.start(python=os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))) as emulator:
        for name in CONTENDERS:
            if options.only in (None, name):
                found = play(emulator, name, tasks=options.tasks, commit_every=options.commit_every)
                print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
