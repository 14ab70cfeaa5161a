"""Checking the workflow stages in the filters of an export before anything is listed.

For a stage that does not exist, Encord returns no rows, which looks like a stage without rows.
"""

from __future__ import annotations

import logging
import re
import uuid

import msgspec

from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.api.workflow import choose_stage, stages_of
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.listing import RowSelection

log = logging.getLogger(__name__)


def with_known_stages(client: EncordClient, selection: RowSelection) -> RowSelection:
    """Check the stage, and replace a stage id by the title.

    With an API key, the stages cannot be read. A title that does not exist then matches no rows.

    :raises InvalidArgumentError: The project does not have the stage. The message lists its stages.
    :raises UnsupportedByCredentialError: The project has no workflow, so it has no stages.
    """
    filters = selection.filters
    if filters.stage is None and filters.stage_title_like is None:
        return selection
    if isinstance(client.credential, ApiKey):
        _require_title(filters.stage)
        log.info("Cannot check with an API key whether the project has the stage.")
        return selection
    stages = client.run(stages_of(selection.project_id))
    if filters.stage_title_like is not None:
        _require_fitting(stages, filters.stage_title_like)
    if filters.stage is None:
        return selection
    return msgspec.structs.replace(
        selection, filters=msgspec.structs.replace(filters, stage=_title_of(stages, filters.stage))
    )


def _require_title(stage: str | None) -> None:
    try:
        uuid.UUID(stage or "")
    except ValueError:
        return
    raise InvalidArgumentError(
        f"stage: {stage!r} is an id, but an API key cannot read the titles of stages. Pass the title."
    )


def _title_of(stages: list[Stage], wanted: str) -> str:
    if any(stage.title == wanted for stage in stages):  # Encord's filter matches all stages with the title
        return wanted
    stage = choose_stage(stages, wanted)
    if sum(other.title == stage.title for other in stages) > 1:
        raise InvalidArgumentError(
            f"stage: {wanted!r} is one of several stages with the title {stage.title!r}, but Encord filters by title. "
            "Give the stages different titles, or pass the title to export the rows of all of them."
        )
    return stage.title


def _require_fitting(stages: list[Stage], pattern: str) -> None:
    parts = {"%": ".*", "_": "."}
    expression = "".join(parts.get(character) or re.escape(character) for character in pattern)
    fits = re.compile(expression, re.IGNORECASE | re.DOTALL).fullmatch
    if "\\" not in pattern and not any(fits(stage.title) for stage in stages):
        there = ", ".join(repr(stage.title) for stage in stages)
        raise InvalidArgumentError(
            f"stage_title_like: {pattern[:80]!r} matches no stage title. The workflow has: {there or 'none'}."
        )
