"""Labels of a function that is called for each row: a model, for example."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from tests.airflow_layer.pre_labels import CAR, Model, counts_of, objects_of


def test_a_function_gives_the_labels(model: Model) -> None:
    def detect(row: Any) -> dict[str, Any] | None:
        return {"objects": [CAR]} if row.data_title.endswith(("0.png", "3.png")) else None

    assert counts_of(model.load(python_callable=detect)) == {"created": 2}
    assert len(model.labels()) == 2


@pytest.mark.parametrize("returned", [7, [CAR], "x", {"objects": 0}, {"objects": {}}, {"objects": [CAR, None]}])
def test_a_function_that_returns_something_else_fails_for_its_rows_by_name(model: Model, returned: Any) -> None:
    """Fault 4.4; and labels that are there are not removed, as for an empty list."""
    model.load()
    with pytest.raises(AirflowFailException, match=r"6 rows were not imported .*(python_callable|objects): "):
        model.load(python_callable=lambda row: returned, if_exists="overwrite")
    assert all(len(objects_of(row)) == 2 for row in model.labels().values())


def test_what_a_function_raises_names_the_data_unit(model: Model) -> None:
    with pytest.raises(
        AirflowException, match=r"^python_callable: the function raised ZeroDivisionError for the data unit '.*png'"
    ):
        model.load(python_callable=lambda row: {"objects": [1 / 0]})
