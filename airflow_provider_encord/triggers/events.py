"""Event triggers for asset watchers (Airflow 3.1 and newer): start DAG runs when there is work in Encord.

An event is announced at least once. Before Airflow stores an event, the watcher writes down what it is about to
announce; after a crash it announces the same batch again, with the same batch id. `airflow_provider_encord.events`
drops repeats in the DAG that handles the events. Before Airflow 3.3 there is no place to write to, so a watcher that is
started again announces again what is in the stage.

On Airflow 2.11 this module can be imported, but there are no asset watchers.
"""

from __future__ import annotations

import datetime
import math
import time
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import DEFAULT_HOST, MAIN_BRANCH, labels_uri, stage_uri
from airflow_provider_encord.defaults import REPEAT_SECONDS
from airflow_provider_encord.get_provider_info import DEFAULT_CONNECTION_ID
from airflow_provider_encord.triggers.event_base import EncordBaseEventTrigger, require

if TYPE_CHECKING:
    from airflow_provider_encord.client.api.projects import ProjectRecord, Stage
    from airflow_provider_encord.triggers.announcing import Announcing
    from airflow_provider_encord.triggers.event_source import EventSource, Snapshot

POLL_INTERVAL = 60.0


class EncordTasksEventTrigger(EncordBaseEventTrigger):
    """Announce the tasks that wait in a workflow stage, for an `AssetWatcher` on `stage_asset`.

    An event announces all tasks that were not announced before, at most 250. It fires when there are `batch_size` such
    tasks, or when one of them has waited for `max_wait_seconds`, as Encord's own notifications of agent stages do.
    Tasks that are still in the stage after `repeat_seconds` are announced again. Permanent errors do not end the
    watcher: it logs them and tries again, at most once a minute.

    Only reads. Needs an SSH key, and an asset watcher, so Airflow 3.1 or newer. A poll takes one request for each page
    of tasks; all watchers and sensors of one triggerer on the same stage share it. Watchers ignore queues: a triggerer
    that was started with ``--queues`` does not run them.

    The payload of an event is ``{"schema_version", "kind": "tasks", "batch_id", "project_id", "stage_id", "stage":
    title, "reason": "batch_size_reached", "max_wait_elapsed" or "remaining", "announced_at", "repeat": int,
    "repeat_seconds", "tasks": int, "task_ids": [...], "project_url"}``. Read it with `airflow_provider_encord.events`.

    :param project_id: Id of the project.
    :param stage: Title or id of the stage.
    :param batch_size: Announce tasks as soon as there are so many. Default: 1.
    :param max_wait_seconds: Announce fewer tasks as soon as one has waited for so long. The time counts from the poll
        that found the task; Encord does not say when a task entered a stage. Default: None, no limit.
    :param repeat_seconds: Announce tasks again that are still in the stage so long after they were announced. Should be
        more than a DAG run takes. Default: 3600.
    :param poll_interval: Seconds between two polls, at least 5. Default: 60.
    :param encord_conn_id: Id of the Airflow connection. The triggerer reads the credentials from it; they are never
        stored.
    :param asset_name: Name of the asset. Only needed if it is not the name that `stage_asset` gives, and two assets
        have equal triggers. Default: None.
    :raises ValueError: An argument is wrong.
    """

    def __init__(
        self,
        *,
        project_id: str,
        stage: str,
        batch_size: int = 1,
        max_wait_seconds: float | None = None,
        repeat_seconds: float = REPEAT_SECONDS,
        poll_interval: float = POLL_INTERVAL,
        encord_conn_id: str = DEFAULT_CONNECTION_ID,
        asset_name: str | None = None,
    ):
        super().__init__(
            project_id=project_id,
            batch_size=batch_size,
            max_wait_seconds=max_wait_seconds,
            poll_interval=poll_interval,
            encord_conn_id=encord_conn_id,
            asset_name=asset_name,
        )
        self.stage = stage
        self.repeat_seconds = repeat_seconds
        require(bool(str(stage).strip()), "stage", stage, "the title or the id of a stage")
        longer = poll_interval < repeat_seconds < math.inf
        require(longer, "repeat_seconds", repeat_seconds, f"more than poll_interval ({poll_interval:.0f} seconds)")

    def _arguments(self) -> dict[str, Any]:
        return super()._arguments() | {"stage": self.stage, "repeat_seconds": self.repeat_seconds}

    def _source(self) -> EventSource:
        from airflow_provider_encord.triggers.event_source import EventSource
        from airflow_provider_encord.waits.questions import TasksQuestion

        return EventSource(
            encord_conn_id=self.encord_conn_id,
            project_id=self.project_id,
            poll_interval=self.poll_interval,
            settle=lambda record: TasksQuestion(project_id=self.project_id, stage_id=self._stage(record).uuid),
            reads_project=True,
        )

    def _stage(self, record: ProjectRecord | None) -> Stage:
        """Find the stage.

        :raises InvalidArgumentError: The workflow has no such stage. The message lists its stages.
        """
        from airflow_provider_encord.client.api.workflow import choose_stage, stages_in

        assert record is not None  # noqa: S101 - the source reads the project
        return choose_stage(stages_in(record), self.stage)

    async def _open(self, first: Snapshot) -> Announcing:
        from airflow_provider_encord.triggers.announcing import Announcing
        from airflow_provider_encord.triggers.event_state import WatchState
        from airflow_provider_encord.watches.batches import iso_time
        from airflow_provider_encord.watches.stage_watch import StageMemory, StageRules, StageWatch

        stage = self._stage(first.record)

        def uri(api: str) -> str:
            return stage_uri(api, self.project_id, stage.uuid)

        state = WatchState(self._state_store(uri(first.settings.base_url)), f"encord_tasks_{stage.uuid}", StageMemory)
        rules = StageRules(
            batch_size=self.batch_size, max_wait_seconds=self.max_wait_seconds, repeat_seconds=self.repeat_seconds
        )
        memory = await state.load(StageMemory())
        series = "" if state.keeps else iso_time(time.time())
        return Announcing(StageWatch(self.project_id, stage, rules, memory, series=series), state, uri)


class EncordLabelsEventTrigger(EncordBaseEventTrigger):
    """Announce label rows that were edited, for an `AssetWatcher` on `labels_asset`.

    It fires when `batch_size` rows were edited and not announced, or when the first of these edits was found
    `max_wait_seconds` ago. An event names at most 250 rows. A row that is edited again is announced again; rows that
    were deleted or only moved to another stage are not. Edits from before the watcher's first start do not count. On
    Airflow 3.3 it goes on where it was when the triggerer starts again; on 3.1 and 3.2 it announces the edits of the
    last hour again. Permanent errors do not end the watcher: it logs them and tries again, at most once a minute.

    Only reads. Needs an asset watcher, so Airflow 3.1 or newer. A poll takes one request, whose response lists the rows
    that were edited after the last announced ones; all watchers of one triggerer on the same branch share it. Watchers
    ignore queues: a triggerer that was started with ``--queues`` does not run them.

    The payload of an event is ``{"schema_version", "kind": "labels", "batch_id", "project_id", "branch", "reason":
    "batch_size_reached" or "max_wait_elapsed", "announced_at", "rows": int, "label_rows": [{"label_hash", "data_hash",
    "last_edited_at"}], "project_url"}``. Read it with `airflow_provider_encord.events`.

    :param project_id: Id of the project.
    :param branch: Label branch. Default: ``"main"``.
    :param batch_size: Announce edits as soon as so many rows were edited. Default: 1.
    :param max_wait_seconds: Announce fewer edits as soon as the first was found so long ago. Default: None, no limit.
    :param edited_after: Rows that were edited after this time count when the watcher starts for the first time: ISO
        8601, no offset means UTC. On Airflow 3.1 and 3.2, at each start. Default: None, the time of the start; on these
        versions an hour before.
    :param poll_interval: Seconds between two polls, at least 5. Default: 60.
    :param encord_conn_id: Id of the Airflow connection. The triggerer reads the credentials from it; they are never
        stored.
    :param asset_name: Name of the asset. Only needed if it is not the name that `labels_asset` gives, and two assets
        have equal triggers. Default: None.
    :raises ValueError: An argument is wrong.
    """

    def __init__(
        self,
        *,
        project_id: str,
        branch: str = MAIN_BRANCH,
        batch_size: int = 1,
        max_wait_seconds: float | None = None,
        edited_after: datetime.datetime | str | None = None,
        poll_interval: float = POLL_INTERVAL,
        encord_conn_id: str = DEFAULT_CONNECTION_ID,
        asset_name: str | None = None,
    ):
        super().__init__(
            project_id=project_id,
            batch_size=batch_size,
            max_wait_seconds=max_wait_seconds,
            poll_interval=poll_interval,
            encord_conn_id=encord_conn_id,
            asset_name=asset_name,
        )
        self.branch = branch
        self.edited_after: str | None = None
        labels_uri(DEFAULT_HOST, project_id, branch)
        if edited_after is not None:
            from airflow_provider_encord.client.times import given_time  # not at the top, to keep DAG parsing fast

            try:
                self.edited_after = given_time(edited_after).isoformat()
            except ValueError as error:
                raise ValueError(f"edited_after: {error}") from None

    def _arguments(self) -> dict[str, Any]:
        return super()._arguments() | {"branch": self.branch, "edited_after": self.edited_after}

    def _source(self) -> EventSource:
        from airflow_provider_encord.triggers.event_source import EventSource
        from airflow_provider_encord.waits.questions import EditedRowsQuestion

        question = EditedRowsQuestion(project_id=self.project_id, which={"branch_name": self.branch})
        return EventSource(
            encord_conn_id=self.encord_conn_id,
            project_id=self.project_id,
            poll_interval=self.poll_interval,
            settle=lambda _: question,
            reads_project=False,
        )

    async def _open(self, first: Snapshot) -> Announcing:
        from airflow_provider_encord.triggers.announcing import Announcing
        from airflow_provider_encord.triggers.event_state import WatchState
        from airflow_provider_encord.watches.batches import iso_time
        from airflow_provider_encord.watches.edits_watch import RESTART_SECONDS, EditsMemory, EditsRules, EditsWatch

        def uri(api: str) -> str:
            return labels_uri(api, self.project_id, self.branch)

        state = WatchState(
            self._state_store(uri(first.settings.base_url)),
            f"encord_labels_{self.project_id}_{self.branch}",
            EditsMemory,
        )
        rules = EditsRules(branch=self.branch, batch_size=self.batch_size, max_wait_seconds=self.max_wait_seconds)
        begin = time.time() - (0.0 if state.keeps else RESTART_SECONDS)
        memory = await state.load(EditsMemory(edited_after=self.edited_after or iso_time(begin)))
        await state.save(memory)
        return Announcing(EditsWatch(self.project_id, rules, memory), state, uri)
