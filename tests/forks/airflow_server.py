"""What Airflow's API server is made of: to import it takes longer than to answer some requests. Airflow 3 only.

Nothing is made of it here, so that each fork has the plugins and options of its own variables.
"""

from __future__ import annotations

import airflow.api_fastapi.app
import airflow.api_fastapi.core_api.routes.public
import airflow.api_fastapi.core_api.routes.ui
import starlette.testclient

__all__ = ["airflow", "starlette"]
