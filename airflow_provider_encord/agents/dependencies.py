"""Dependencies of encord-agents: parameters that are marked with its ``Depends``. Needs the extra ``sdk``.

encord-agents resolves them itself, with objects of Encord's SDK. A dependency that calls ``get_user_client`` of
encord-agents, such as its ``dep_client``, gets a client of the Airflow connection instead of one from environment
variables; see `client_for_encord_agents`.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from typing import Any

from airflow_provider_encord.agents.descriptions import described
from airflow_provider_encord.agents.inputs import Prepared
from airflow_provider_encord.agents.parameters import OF_SDK, Input, input_of, named
from airflow_provider_encord.agents.sdk_objects import SdkObjects
from airflow_provider_encord.client.errors import InvalidArgumentError

_NAME = "get_user_client"  # of encord-agents
_clients: list[Callable[[], Any]] = []


class Dependencies:
    """The dependencies of a function.

    :param function: The function.
    :param sdk: Reads objects of the SDK.
    :raises InvalidArgumentError: A dependency asks for something that a task of a stage does not have.
    """

    def __init__(self, function: Callable[..., Any], sdk: SdkObjects):
        from encord_agents.core.dependencies.models import Dependant
        from encord_agents.core.dependencies.utils import get_dependant

        try:
            whole = get_dependant(func=inspect.unwrap(function))
        except Exception as error:  # noqa: BLE001 - it has no errors of its own
            raise InvalidArgumentError(
                f"The dependencies of the function {named(function).__qualname__} cannot be read: {described(error)}"
            ) from None
        self._dependant = Dependant(func=whole.func, dependencies=whole.dependencies)
        self._sdk = sdk
        self.inputs = frozenset(_inputs(whole.dependencies))

    def values(self, prepared: Prepared, stack: contextlib.ExitStack) -> dict[str, Any]:
        """The values of the marked parameters for a task. Generators are closed with the stack."""
        from encord_agents.core.dependencies.models import Context
        from encord_agents.core.dependencies.utils import solve_dependencies

        project: Any = self._sdk.project if Input.SDK_PROJECT in self.inputs else None
        context = Context(
            project=project,
            label_row=prepared.sdk_row,
            task=prepared.sdk_task,
            agent_stage=self._sdk.stage if Input.SDK_STAGE in self.inputs else None,
            storage_item=prepared.sdk_item,
        )
        values: dict[str, Any] = solve_dependencies(context=context, dependant=self._dependant, stack=stack).values
        return values


def _inputs(dependencies: Any) -> Iterator[Input]:
    """What the parameters of dependencies, and of their dependencies, ask for."""
    for dependency in dependencies:
        for field in dependency.field_params:
            found = input_of(field.type_annotation)
            if isinstance(field.type_annotation, typing.ForwardRef):
                raise InvalidArgumentError(
                    f"{field.name}: the annotation {field.type_annotation.__forward_arg__!r} of this parameter of the "
                    f"dependency {_name(dependency.func)} cannot be read. Import the type at the top of its file, not "
                    "under TYPE_CHECKING. In the file of a class that is a dependency, do not use `from __future__ "
                    "import annotations`."
                )
            if found not in OF_SDK:
                raise InvalidArgumentError(
                    f"{field.name}: this parameter of the dependency {_name(dependency.func)} asks for "
                    f"{field.type_annotation!r}, which a task of a stage does not have. A dependency can ask for "
                    f"{', '.join(one.value for one in OF_SDK)} of Encord's SDK, and for other dependencies."
                )
            yield found
        yield from _inputs(dependency.dependencies)


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", function))


@contextlib.contextmanager
def client_for_encord_agents(client: Callable[[], Any]) -> Iterator[None]:
    """Let ``get_user_client`` of encord-agents return a client of the Airflow connection.

    That function is not meant to be configured: it reads a key from environment variables, which this process must not
    have, because other programs that it starts would get them. So it is replaced, wherever it was imported to.

    :param client: Returns the client of the SDK.
    """
    from encord_agents.core import utils

    if not hasattr(getattr(utils, _NAME), "__wrapped__"):
        _replace(getattr(utils, _NAME))
    _clients.append(client)
    try:
        yield
    finally:
        _clients.remove(client)


def _replace(original: Callable[..., Any]) -> None:
    @functools.wraps(original)
    def get_user_client(settings: Any = None, **more: Any) -> Any:
        return _clients[-1]() if _clients and settings is None else original(settings, **more)

    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:  # also under another name
                setattr(module, name, get_user_client)
