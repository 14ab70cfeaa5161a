"""What annotations ask for."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Optional

import pytest

from airflow_provider_encord import agents
from airflow_provider_encord.agents import (
    AgentResult,
    EditableLabels,
    Frames,
    LabelRowJson,
    LocalAsset,
    ProjectRecord,
    SignedUrl,
    StorageItemRecord,
    Task,
)
from airflow_provider_encord.agents.parameters import OF_SDK, FunctionError, Input, Wanted, parameters_of

if TYPE_CHECKING:
    from decimal import Decimal


def test_every_type_of_the_facade_is_recognised_or_returned() -> None:
    def function(
        a: Task,
        b: LabelRowJson,
        c: EditableLabels,
        d: StorageItemRecord,
        e: SignedUrl,
        f: LocalAsset,
        g: ProjectRecord,
        h: Frames,
    ) -> AgentResult: ...

    found = parameters_of(function)
    assert found.inputs == set(Input) - set(OF_SDK)
    assert found.others == {}
    assert {"AgentResult", "Frame", *(input_.value for input_ in found.inputs)} == set(agents.__all__)


def test_a_value_may_be_missing() -> None:
    def function(item: StorageItemRecord | None, asset: Optional[LocalAsset]) -> None: ...  # noqa: UP045

    assert dict(parameters_of(function).wanted) == {
        "item": Wanted(Input.ITEM, True),
        "asset": Wanted(Input.ASSET, True),
    }


def test_other_parameters_are_those_of_the_call() -> None:
    def function(task: Task, threshold: float, model: str = "m", price: Decimal | None = None, **more: Any) -> None: ...

    found = parameters_of(function)
    assert list(found.others) == ["threshold", "model", "price", "more"]
    found.require({"threshold"})
    with pytest.raises(FunctionError, match=r"^threshold: .* its annotation 'float' is not one .*\(threshold=\.\.\.\)"):
        found.require(())


def test_a_type_that_is_only_there_for_type_checkers_is_named_if_it_gets_no_value() -> None:
    def function(price: Decimal) -> None: ...

    with pytest.raises(FunctionError, match=r"price: .*'Decimal' cannot be read .* not under TYPE_CHECKING"):
        parameters_of(function).require(())
    parameters_of(function).require({"price"})


def test_a_function_inside_of_another_decorator_is_read() -> None:
    def function(task: Task) -> None: ...

    @functools.wraps(function)
    def outer(*args: Any, **kwargs: Any) -> Any: ...

    assert list(parameters_of(outer).wanted) == ["task"]


def test_a_name_that_is_not_of_the_facade_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = agents.Nothing
