"""A DAG for each row of the matrix of moves: the operator rendered natively, then mapped over nothing, one and many.

Airflow reads and stores every DAG of a file at each run of any: a file that says which row it is about has that one.
"""

from __future__ import annotations

import datetime
import os
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from tests.moves.matrix import MATRIX

try:
    from airflow.sdk import task
except ImportError:  # Airflow 2.11
    from airflow.decorators import task


def dag_of(scenario: Any) -> DAG:
    """The DAG of a row; its run gets the operator's arguments as the parameter ``arguments``."""
    operator = scenario.operator
    with DAG(
        f"moves_of_{scenario.__name__}",
        schedule=None,
        start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        render_template_as_native_obj=True,
        params={"arguments": {}},
    ) as dag:

        @task
        def several(number: int, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
            assert params is not None
            return [params["arguments"]] * number

        templates = {name: f"{{{{ params.arguments[{name!r}] }}}}" for name in scenario.names}
        last = operator(task_id="native", **templates)
        for name, number in (("none", 0), ("one", 1), ("many", 3)):
            arguments = several.override(task_id=f"of_{name}")(number)
            mapped = operator.partial(task_id=name, trigger_rule="all_done", max_active_tis_per_dag=1).expand_kwargs(
                arguments
            )
            last >> mapped
            last = mapped
    return dag


ROW = "MOVES_IN_DAGS_ROW"
"""A variable that names the only row that there is a DAG for; without it, all have one."""

for _scenario in MATRIX:
    if os.environ.get(ROW, _scenario.__name__) == _scenario.__name__:
        globals()[f"moves_of_{_scenario.__name__}"] = dag_of(_scenario)
