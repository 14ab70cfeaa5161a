"""Scripts for encord-agents of less usual kinds, on `EncordAgentRunnerOperator`. Needs encord-agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowException, AirflowFailException, AssetAlias, task

from airflow_provider_encord.operators.agents import EncordAgentRunnerOperator
from tests.airflow_layer.agent_stage import STAGES, AgentStage, numbers
from tests.airflow_layer.agents.conftest import Script
from tests.airflow_layer.bench import run
from tests.airflow_layer.outlet_events import OutletEvents

pytest.importorskip("encord_agents")
pytestmark = pytest.mark.airflow

HEAD = """
    import asyncio, enum, functools
    from typing import Annotated
    from encord.storage import StorageItem
    from encord.workflow.stages.agent import AgentStage, AgentTask
    from encord_agents.exceptions import PrintableError
    from encord_agents.tasks import Depends, Runner
"""
ONE = """
    runner = Runner("{project}")
    @runner.stage("Pre-label")
    def label(task: AgentTask):
        return "good"
"""


def test_tasks_that_leave_the_stage_meanwhile_are_skipped(stage: AgentStage, script: Script) -> None:
    path = script(
        HEAD
        + """
    runner = Runner("{project}")
    @runner.stage("Pre-label")
    def label(task: AgentTask, stage: AgentStage):
        for other in stage.get_tasks():
            if other.uuid != task.uuid:
                other.proceed(pathway_name="unsure")
        return "good"
    """
    )
    done = run(EncordAgentRunnerOperator, runner=path, commit_every=1)
    assert numbers(done) == {"tasks": 4, "moved": 1, "skipped": 3}


def test_a_dependency_that_handles_an_error_does_not_hide_it(stage: AgentStage, script: Script) -> None:
    path = script(
        HEAD
        + """
    def session():
        try:
            yield 1
        except ValueError:
            pass

    runner = Runner("{project}")
    @runner.stage("Pre-label")
    def label(task: AgentTask, session: Annotated[int, Depends(session)]):
        if "1" in task.data_title:
            raise ValueError("a planted fault")
        return "good"
    """
    )
    with pytest.raises(AirflowException, match=r"1 tasks failed .*3 moved.*ValueError: a planted fault"):
        run(EncordAgentRunnerOperator, runner=path)


FUNCTIONS = {
    "partial": "def f(way, task: AgentTask): return way\nf = functools.partial(f, 'good')",
    "object": "class F:\n    def __call__(self, task: AgentTask): return 'good'\nf = F()",
    "enumeration": "class Way(str, enum.Enum):\n    GOOD = 'good'\ndef f(): return Way.GOOD",
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_functions_of_any_kind_run(stage: AgentStage, script: Script, kind: str) -> None:
    body = "\n".join(f"    {line}" for line in FUNCTIONS[kind].splitlines())
    path = script(HEAD + body + '\n    runner = Runner("{project}")\n    runner.stage("Pre-label")(f)\n')
    arguments = {"runner": path, "cache": stage.path("cache"), "project_id": stage.project_id.upper()}
    assert numbers(run(EncordAgentRunnerOperator, **arguments)) == {"tasks": 4, "moved": 4}


def test_coroutines_of_a_runner_run_at_the_same_time(stage: AgentStage, script: Script) -> None:
    path = script(
        HEAD
        + """
    running, together = [], asyncio.Event()
    runner = Runner("{project}")
    @runner.stage("Pre-label")
    async def label(task: AgentTask):
        running.append(task)
        if len(running) == 4:
            together.set()
        await asyncio.wait_for(together.wait(), 10)
        return "good"
    """
    )
    assert numbers(run(EncordAgentRunnerOperator, runner=path)) == {"tasks": 4, "moved": 4}


def test_all_functions_of_a_stage_run_and_other_stages_are_not_needed(stage: AgentStage, script: Script) -> None:
    path = script(
        HEAD
        + f"""
    runner = Runner()
    @runner.stage("Pre-label")
    def first(task: AgentTask):
        return "good" if "1" in task.data_title else None

    @runner.stage("{stage.stage_id}")
    def second():
        return "unsure"

    @runner.stage("A stage of another project")
    def other():
        return "good"
    """
    )
    arguments = {"runner": path, "project_id": stage.project_id}
    with pytest.raises(AirflowFailException, match="'A stage of another project' is neither id nor title"):
        run(EncordAgentRunnerOperator, **arguments)
    run(EncordAgentRunnerOperator, stage="Pre-label", **arguments)
    assert stage.counts() == {"Annotate": 3, "Complete": 1}


def test_stages_do_not_share_cached_results(account: Any, tmp_path: Path, script: Script) -> None:
    first = {**STAGES[0], "pathways": [{"title": "good", "to": "Second"}]}
    ways = [{"title": "good", "to": "Annotate"}, {"title": "done", "to": "Complete"}]
    stage = AgentStage(
        account, tmp_path, stages=[first, {**STAGES[0], "title": "Second", "pathways": ways}, *STAGES[1:]]
    )
    path = script(
        HEAD
        + f"""
    def always(way):
        def label():
            return way
        return label

    runner = Runner("{stage.project_id}")
    runner.stage("Pre-label")(always("good"))
    runner.stage("Second")(always("done"))
    """
    )
    done = run(EncordAgentRunnerOperator, runner=path, cache=stage.path("cache"))
    assert (numbers(done), stage.counts()) == ({"tasks": 8, "moved": 8}, {"Complete": 4})


def test_the_module_beside_a_script_is_its_own(stage: AgentStage, script: Script, tmp_path: Path) -> None:
    path = script(HEAD + "    from helper_of_scripts import WAY\n" + ONE.replace('"good"', "WAY"))
    for way, tasks in (("good", 1), ("unsure", 3)):
        folder = tmp_path / way
        folder.mkdir()
        (folder / "helper_of_scripts.py").write_text(f"WAY = {way!r}\n")
        (folder / "agents.py").write_text(Path(path).read_text())
        run(EncordAgentRunnerOperator, runner=str(folder / "agents.py"), batch_size=tasks)
    assert stage.counts() == {"Annotate": 3, "Complete": 1}


def test_the_output_of_a_task_can_be_the_runner(stage: AgentStage) -> None:
    with DAG("runner_of_a_task", schedule=None):

        @task
        def place() -> str:
            return "/data/agents/prelabel.py"

        of_task = EncordAgentRunnerOperator(task_id="of_task", runner=place())
    assert of_task.upstream_task_ids == {"place"}


def test_a_signed_url_of_the_sdk_and_colours_are_in_no_error(
    stage: AgentStage, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    path = script(
        HEAD
        + """
    runner = Runner("{project}")
    @runner.stage("Pre-label")
    def label(item: StorageItem):
        raise PrintableError("[blue]the query[/blue] is " + item.get_signed_url().partition("?")[2])
    """
    )
    with pytest.raises(AirflowException, match=r"PrintableError: the query is \.\.\.") as raised:
        run(EncordAgentRunnerOperator, runner=path)
    assert "signature=" not in caplog.text + str(raised.value)


WRONG = {
    "placeholder": ('runner = Runner("<project_hash>")', r"could not be loaded: .*line 9.* project_hash .* UUID"),
    "unguarded": (
        ONE + "    runner.run()",
        r"the code starts the runner while it is loaded\. Put what starts it under",
    ),
    "called": (ONE + "    runner()", r"the code starts the runner while it is loaded"),
    "stage": (ONE + "    runner.run_stage('Pre-label')", r"the code starts the runner while it is loaded"),
    "location": ("None + 1", r"could not be loaded: TypeError: .* \(line 9\)$"),
    "callback": (
        ONE.replace("Runner(", "Runner(pre_execution_callback=lambda _: {}['cars'], project_hash="),
        "^pre_execution_callback: the runner's callback failed: KeyError: 'cars'$",
    ),
    "partial": (
        "def f(a, x: int): ...\n    r = Runner('{project}')\n    r.stage('Pre-label')(functools.partial(f, 1))",
        "^The function f of the runner: x: this parameter",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_script_is_named(stage: AgentStage, script: Script, case: str) -> None:
    text, message = WRONG[case]
    with pytest.raises(AirflowFailException, match=message):
        run(EncordAgentRunnerOperator, runner=script(f"{HEAD}\n    {text.strip()}\n"))


@pytest.mark.parametrize("text", ["open('/nowhere/weights')", ONE], ids=["file", "encord"])
def test_what_may_pass_while_a_script_is_loaded_is_retried(stage: AgentStage, script: Script, text: str) -> None:
    stage.emulator.faults([{"match": {"path": f"/projects/{stage.project_id}$"}, "do": {"status": 418}}])
    with pytest.raises(AirflowException, match="could not be loaded") as raised:
        run(EncordAgentRunnerOperator, runner=script(f"{HEAD}\n    {text.strip()}\n"))
    assert not isinstance(raised.value, AirflowFailException)


def test_each_stage_that_changed_gets_an_event_with_its_numbers(stage: AgentStage, script: Script) -> None:
    alias, path = AssetAlias("stages"), script(HEAD + ONE)
    for moved in (4, 0):
        events = OutletEvents()
        EncordAgentRunnerOperator(task_id="task", runner=path, outlets=[alias]).execute({"outlet_events": events})
        added = [extra["moved"] for uri, extra in events[alias].added if uri.endswith(stage.stage_id)]
        assert added == ([4] if moved else [])
