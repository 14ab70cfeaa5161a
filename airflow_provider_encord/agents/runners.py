"""Existing runners of encord-agents: where they are, and which functions they have. Needs the extra ``agents``."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import pathlib
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from airflow_provider_encord.agents.dependencies import client_for_encord_agents
from airflow_provider_encord.agents.descriptions import described
from airflow_provider_encord.agents.execution import Agent
from airflow_provider_encord.agents.parameters import FunctionError, named, parameters_of
from airflow_provider_encord.agents.sdk_objects import REFUSALS, RowArguments
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, UnavailableError
from airflow_provider_encord.client.resources.projects import Project

INSTALL = "pip install 'airflow-provider-encord[agents]'"
_SCRIPT = ".py"
_STARTS = ("__call__", "run", "run_stage")  # methods of a Runner
_LISTING = ("include_workflow_graph_node", "include_client_metadata", "include_images_data", "include_children")
_LABELS = (
    "include_object_feature_hashes",
    "include_classification_feature_hashes",
    "include_reviews",
    "include_signed_url",
)


class LoadedRunner:
    """A runner of encord-agents.

    :param runner: The ``Runner`` or ``QueueRunner``.
    """

    def __init__(self, runner: Any):
        self._runner = runner

    def project_id(self, wanted: str | None) -> str:
        """The id of the project to run on.

        :param wanted: The id that the operator got; None for the runner's own.
        :raises InvalidArgumentError: Neither has one, or they differ.
        """
        own = None if self._runner.project_hash is None else str(self._runner.project_hash)
        if wanted is None and own is None:
            raise InvalidArgumentError("project_id: pass it, because the runner is not bound to a project.")
        if wanted is not None and own is not None and wanted.lower() != own:
            raise InvalidArgumentError(
                f"project_id: the runner is bound to project {own}, so it cannot run on project {wanted}. Leave "
                "`project_id` out, or make the runner without a project."
            )
        return own or wanted or ""

    def agents(self, project: Project, stage: str | None) -> list[Agent]:
        """The functions of the runner, in its order.

        :param stage: Title or id of the only stage to run; None for all.
        :raises InvalidArgumentError: There is no function, or a parameter of one cannot be filled.
        """
        registered = self._registered(project, stage)
        if not registered:
            names = ", ".join(repr(str(agent.printable_name)) for agent in self._runner.agents) or "none"
            raise InvalidArgumentError(
                f"stage: the runner has no function for stage {stage!r}. Its stages: {names}."
                if stage is not None
                else "runner: it has no functions. Register them with @runner.stage(...) where the runner is made."
            )
        agents = [_agent(uuid, agent) for uuid, agent in registered]
        self._call_back()
        return agents

    def _registered(self, project: Project, stage: str | None) -> list[tuple[str, Any]]:
        """The ids of stages with their functions. A runner without a project may have stages of others, too."""
        if stage is None:
            return [(project.stage(str(agent.identity)).uuid, agent) for agent in self._runner.agents]
        only = project.stage(stage)
        return [(only.uuid, agent) for agent in self._runner.agents if str(agent.identity) in (only.uuid, only.title)]

    def _call_back(self) -> None:
        callback = getattr(self._runner, "pre_execution_callback", None)
        if callback is None:
            return
        try:
            callback(self._runner)
            return
        except Exception as error:
            if _speaks_for_itself(error):
                raise
            failure = _failure(f"pre_execution_callback: the runner's callback failed: {described(error)}", error)
        raise failure


def _agent(stage_id: str, registered: Any) -> Agent:
    try:
        parameters = parameters_of(registered.callable)
        parameters.require((), of_runner=True)
    except FunctionError as error:
        name = named(registered.callable).__qualname__
        raise InvalidArgumentError(f"The function {name} of the runner: {error}") from None
    return Agent(
        stage=stage_id,
        function=registered.callable,
        parameters=parameters,
        rows=_rows(registered.label_row_metadata_include_args, registered.label_row_initialise_labels_args),
        saves_edits=False,
    )


def _rows(listing: Any, labels: Any) -> RowArguments:
    """How the runner wants label rows to be read."""
    if listing is not None and (listing.branch_name or listing.include_all_label_branches):
        raise InvalidArgumentError(
            "label_row_metadata_include_args: branch_name and include_all_label_branches are not supported, because a "
            "function gets the label row of its task's own branch. Remove them from @runner.stage(...)."
        )
    return RowArguments(listing=_given(listing, _LISTING), labels=_given(labels, _LABELS) or None)


def _given(arguments: Any, names: tuple[str, ...]) -> Mapping[str, Any]:
    """The arguments that differ from their defaults."""
    given = {} if arguments is None else arguments.model_dump(exclude_defaults=True)
    return {name: given[name] for name in names if name in given}


@contextlib.contextmanager
def loaded_runner(runner: Any, sdk_client: Callable[[], Any]) -> Iterator[LoadedRunner]:
    """Load a runner, and keep what its functions need until the end.

    :param runner: The runner, or where it is; see `EncordAgentRunnerOperator`.
    :param sdk_client: Returns a client of Encord's SDK for the Airflow connection.
    :raises InvalidArgumentError: It cannot be loaded.
    """
    _require_encord_agents()
    with contextlib.ExitStack() as stack:
        stack.enter_context(client_for_encord_agents(sdk_client))
        yield LoadedRunner(_found(runner, stack) if isinstance(runner, str) else _checked(runner, "runner"))


def _require_encord_agents() -> None:
    if importlib.util.find_spec("encord_agents") is None:
        raise InvalidArgumentError(
            f"runner: the library encord-agents is not installed. Install the extra `agents`: {INSTALL}"
        )


def _found(place: str, stack: contextlib.ExitStack) -> Any:
    """The runner at a place: ``module:name``, a path of a script, or ``path:name``."""
    where, _, name = place.partition(":") if not place.endswith(_SCRIPT) else (place, "", "")
    module = _load(place, where, stack)
    if not name:
        return _only(module, place)
    if not hasattr(module, name):
        raise InvalidArgumentError(f"runner: {where} has no {name!r}.")
    return _checked(getattr(module, name), place)


def _load(place: str, where: str, stack: contextlib.ExitStack) -> ModuleType:
    """Run a script, or import a module. Errors of its code are shown without signed URLs."""
    is_script = where.endswith(_SCRIPT)
    if is_script and not pathlib.Path(where).is_file():
        raise InvalidArgumentError(f"runner: there is no script {where} on this worker.")
    try:
        with _not_started():
            return _run(pathlib.Path(where), stack) if is_script else importlib.import_module(where)
    except (Exception, SystemExit) as error:
        if _speaks_for_itself(error):
            raise
        name = _name(pathlib.Path(where)) if is_script else where
        failure = _failure(f"runner: {place} could not be loaded: {_problem(error, name)}", error)
    raise failure


@contextlib.contextmanager
def _not_started() -> Iterator[None]:
    """Refuse to start a runner while its code is loaded: its own loop would count no failures, and leave no tasks."""
    from encord_agents.tasks import Runner

    def refuse(*_: Any, **__: Any) -> None:
        raise InvalidArgumentError(
            "runner: the code starts the runner while it is loaded. Put what starts it under "
            "`if __name__ == '__main__':`."
        )

    own = {name: getattr(Runner, name) for name in _STARTS}
    for name in own:
        setattr(Runner, name, refuse)
    try:
        yield
    finally:
        for name, function in own.items():
            setattr(Runner, name, function)


def _run(path: pathlib.Path, stack: contextlib.ExitStack) -> ModuleType:
    """Run a script, which may import the modules beside it, as when Python starts it."""
    name = _name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidArgumentError(f"runner: {path} is not a Python script.")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    stack.callback(sys.path.remove, folder)
    stack.callback(_forget, pathlib.Path(folder), set(sys.modules))
    sys.modules[name] = module
    stack.callback(sys.modules.pop, name, None)
    spec.loader.exec_module(module)
    return module


def _name(script: pathlib.Path) -> str:
    """The name of the module of a script."""
    return f"encord_agents_script_{script.stem}"


def _forget(folder: pathlib.Path, known: set[str]) -> None:
    """Forget the modules beside a script, as the script of another folder may have others of the same names."""
    for name in set(sys.modules) - known:
        place = folder.joinpath(*name.split("."))
        if getattr(sys.modules[name], "__file__", None) in (f"{place}.py", str(place / "__init__.py")):
            del sys.modules[name]


def _only(module: ModuleType, place: str) -> Any:
    """The only runner of a module."""
    runners = {name: value for name, value in vars(module).items() if _is_runner(value)}
    if len({id(value) for value in runners.values()}) == 1:
        return next(iter(runners.values()))
    if not runners:
        raise InvalidArgumentError(
            f"runner: {place} makes no Runner or QueueRunner of encord-agents at its top level (code under "
            "`if __name__ == '__main__'` does not run)."
        )
    raise InvalidArgumentError(f"runner: {place} has several runners: {', '.join(runners)}. Add one: {place}:<name>.")


def _checked(value: Any, place: str) -> Any:
    if _is_runner(value):
        return value
    raise InvalidArgumentError(f"runner: {place} is a {type(value).__name__}, not a Runner or QueueRunner.")


def _is_runner(value: Any) -> bool:
    from encord_agents.tasks import QueueRunner, Runner

    return isinstance(value, Runner | QueueRunner)


def _speaks_for_itself(error: BaseException) -> bool:
    """Whether it is an error about the connection, or one that Airflow knows."""
    return isinstance(error, EncordError) or type(error).__module__.startswith("airflow.")


def _failure(message: str, error: BaseException) -> EncordError:
    """The error to raise. If the network or Encord failed, a retry may help."""
    of_sdk = type(error).__module__.partition(".")[0] == "encord" and type(error).__name__ not in REFUSALS
    return UnavailableError(message) if of_sdk or isinstance(error, OSError) else InvalidArgumentError(message)


def _problem(error: BaseException, name: str) -> str:
    """What is wrong with a module, in one line."""
    from encord_agents.exceptions import PrintableError

    if isinstance(error, PrintableError):
        return " ".join(described(error).removeprefix("PrintableError: ").split())
    if isinstance(error, ModuleNotFoundError) and error.name == name.partition(".")[0]:
        return (
            f"there is no module {error.name} on this worker. Pass a module and a name (my_package.agents:runner), or "
            "the path of a script that ends with .py."
        )
    numbers = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_globals["__name__"] == name]
    place = f" (line {numbers[-1]})" if numbers else ""
    if isinstance(error, SystemExit):
        return f"{described(error)}{place}. Put what runs it, such as runner.run(), under `if __name__ == '__main__':`."
    if type(error).__name__ == "Abort":  # of the library typer
        return f"encord-agents stops{place}. The project_hash of a runner must be the id of a project, a UUID."
    return f"{described(error)}{place}"
