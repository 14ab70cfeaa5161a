"""What a function asks for with the annotations of its parameters. Runs while a DAG is parsed, so it imports little."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any


class Input(enum.Enum):
    """A value that a task of the stage can be given to the function with."""

    TASK = "Task"
    LABEL_ROW = "LabelRowJson"
    LABELS = "EditableLabels"
    ITEM = "StorageItemRecord"
    URL = "SignedUrl"
    ASSET = "LocalAsset"
    FRAMES = "Frames"
    PROJECT = "ProjectRecord"
    SDK_ROW = "LabelRowV2"
    SDK_TASK = "AgentTask"
    SDK_STAGE = "AgentStage"
    SDK_PROJECT = "Project"
    SDK_ITEM = "StorageItem"


OF_SDK = (Input.SDK_ROW, Input.SDK_TASK, Input.SDK_STAGE, Input.SDK_PROJECT, Input.SDK_ITEM)
"""The objects of Encord's SDK."""

_DEPENDS = "Depends"  # the class of encord-agents that marks a dependency
_PACKAGE = "airflow_provider_encord"
_INPUTS = {
    f"{_PACKAGE}.client.api.workflow.Task": Input.TASK,
    f"{_PACKAGE}.agents.kinds.LabelRowJson": Input.LABEL_ROW,
    f"{_PACKAGE}.agents.editable.EditableLabels": Input.LABELS,
    f"{_PACKAGE}.client.api.storage_items.StorageItemRecord": Input.ITEM,
    f"{_PACKAGE}.agents.kinds.SignedUrl": Input.URL,
    f"{_PACKAGE}.agents.kinds.LocalAsset": Input.ASSET,
    f"{_PACKAGE}.media.frames.Frames": Input.FRAMES,
    f"{_PACKAGE}.client.api.projects.ProjectRecord": Input.PROJECT,
    "encord.objects.ontology_labels_impl.LabelRowV2": Input.SDK_ROW,
    "encord.workflow.stages.agent.AgentTask": Input.SDK_TASK,
    "encord.workflow.stages.agent.AgentStage": Input.SDK_STAGE,
    "encord.project.Project": Input.SDK_PROJECT,
    "encord.storage.StorageItem": Input.SDK_ITEM,
}
"""By the full name of the type, because importing the types of the client would slow down DAG parsing."""


class FunctionError(TypeError):
    """The function of an agent cannot be called. The message names the parameter and the fix."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What a parameter asks for.

    :param optional: The annotation allows None, which is passed if the value does not exist.
    """

    input: Input
    optional: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a function.

    :param wanted: Those that are filled for each task, by name.
    :param others: Those that the call of the decorated function fills.
    :param unclear: Why the annotation of a parameter cannot be read, by name.
    :param depends: Those that dependencies of encord-agents fill (``Depends``); see `dependencies`.
    """

    wanted: Mapping[str, Wanted]
    others: Mapping[str, inspect.Parameter]
    unclear: Mapping[str, str]
    depends: frozenset[str]

    @property
    def inputs(self) -> frozenset[Input]:
        """What is asked for."""
        return frozenset(wanted.input for wanted in self.wanted.values())

    def require(self, given: Collection[str], *, of_runner: bool = False) -> None:
        """Check that each parameter gets a value.

        :param given: Names of the parameters that the call of the decorated function fills.
        :param of_runner: The function is one of a runner of encord-agents, which is not called in a DAG.
        :raises FunctionError: A parameter has neither a known annotation, a default, nor a value in the call.
        """
        for name, parameter in self.others.items():
            if name in given or parameter.default is not parameter.empty or parameter.kind is parameter.VAR_KEYWORD:
                continue
            raise FunctionError(self._problem(name, parameter, of_runner=of_runner))

    def _problem(self, name: str, parameter: inspect.Parameter, *, of_runner: bool) -> str:
        annotation = parameter.annotation
        if name in self.unclear:
            problem = self.unclear[name]
        elif annotation is parameter.empty:
            problem = "it has no annotation"
        else:
            problem = f"its annotation {_written(annotation)} is not one that is filled for each task"
        kinds = ", ".join(input_.value for input_ in Input if input_ not in OF_SDK)
        of_sdk = ", ".join(input_.value for input_ in OF_SDK)
        otherwise = (
            "mark it with Depends of encord-agents"
            if of_runner
            else f"pass a value where the decorated function is called: ...({name}=...)"
        )
        return (
            f"{name}: this parameter of the function gets no value, because {problem}. Annotate it with one of {kinds} "
            f"(of airflow_provider_encord.agents) or {of_sdk} (of Encord's SDK), or {otherwise}."
        )


def named(function: Callable[..., Any]) -> Any:
    """What gives a callable its name: the function of a ``partial``, the class of an object with ``__call__``."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if hasattr(function, "__qualname__") else type(function)


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """Read the parameters of a function. ``from __future__ import annotations`` works.

    :raises FunctionError: A parameter cannot be passed by name.
    """
    wanted: dict[str, Wanted] = {}
    others: dict[str, inspect.Parameter] = {}
    unclear: dict[str, str] = {}
    depends: set[str] = set()
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise FunctionError(f"{name}: parameters of the function are passed by name. Replace {parameter}.")
        try:
            annotation = _annotation(function, name, parameter.annotation)
            found = _wanted(annotation)
            if _is_dependency(annotation, parameter.default, found):
                depends.add(name)
                continue
        except Exception as error:  # noqa: BLE001 - reading an annotation can run any code
            unclear[name] = (
                f"its annotation {parameter.annotation!r} cannot be read ({type(error).__name__}: {error}); import the "
                "type at the top of the file, not under TYPE_CHECKING"
            )
            found = None
        if found is None:
            others[name] = parameter
        else:
            wanted[name] = found
    return Parameters(wanted, others, unclear, frozenset(depends))


def _annotation(function: Callable[..., Any], name: str, annotation: Any) -> Any:
    """The annotation of one parameter, so that an unreadable one does not hide the others."""
    if annotation is inspect.Parameter.empty:
        return None
    holder = types.SimpleNamespace(__annotations__={name: annotation})
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    return typing.get_type_hints(holder, scope, include_extras=True)[name]


def _is_dependency(annotation: Any, default: Any, found: Wanted | None) -> bool:
    """Whether ``Depends`` of encord-agents fills a parameter. As there, a known type is stronger than a default."""
    return any(map(_is_mark, getattr(annotation, "__metadata__", ()))) or (found is None and _is_mark(default))


def _is_mark(value: Any) -> bool:
    """Whether it is a ``Depends``, which is not imported to find out."""
    return type(value).__name__ == _DEPENDS and type(value).__module__.partition(".")[0] == "encord_agents"


def input_of(annotation: Any) -> Input | None:
    """What a plain type asks for; None for any other type."""
    return _INPUTS.get(f"{getattr(annotation, '__module__', '')}.{getattr(annotation, '__qualname__', '')}")


def _wanted(annotation: Any) -> Wanted | None:
    """What an annotation asks for; None for any other type."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _wanted(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [_wanted(part) for part in typing.get_args(annotation) if part is not type(None)]
        if len(inner) == 1 and inner[0] is not None:
            return Wanted(inner[0].input, optional=True)
        return None
    input_ = input_of(annotation)
    return None if input_ is None else Wanted(input_)


def _written(annotation: Any) -> str:
    return repr(annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation)))
