"""The base of all operators: the hook, the conversion to Airflow's errors, asset events, and the link to Encord."""

from __future__ import annotations

import logging
import random
import sys
import time
import traceback
import urllib.parse
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    BaseOperator,
    TaskDeferred,
    conf,
)

from airflow_provider_encord.client.errors import EncordError, PartialFailureError, RateLimitedError
from airflow_provider_encord.defaults import (
    LONGEST_PAUSES_SPREAD,
    LONGEST_WAIT_IN_SLOT,
    PAUSES_SPREAD,
)
from airflow_provider_encord.get_provider_info import DEFAULT_CONNECTION_ID
from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.links import (
    PROJECT_XCOM_KEY,
    XCOM_KEY,
    TaskLinks,
    has_project_pages,
    link_key,
    project_page_path,
    project_url,
    queue_url,
)
from airflow_provider_encord.operators.arguments import parse_bool
from airflow_provider_encord.pauses import after_pause, longest_wait_after, seconds_of_pause
from airflow_provider_encord.progress import noted_in

if TYPE_CHECKING:
    import datetime

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.attempts import Owner
    from airflow_provider_encord.client.api.projects import ProjectRecord
    from airflow_provider_encord.client.client import EncordClient
    from airflow_provider_encord.history.records import Fact
    from airflow_provider_encord.hooks.history import TaskHistory

Ids = ParamSpec("Ids")
TASK_LOG = logging.getLogger("airflow.task")
_DEFECTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, AssertionError, RecursionError)
"""Errors that show a bug in our code. A failure of the network, a disk or Encord never raises them."""


@contextmanager
def airflow_errors(log: Any = TASK_LOG) -> Iterator[None]:
    """Convert the errors of this package to Airflow's errors.

    If a retry may help, the error becomes an `AirflowException`; else an `AirflowFailException`, which Airflow does not
    retry. A missing Airflow connection and a bug in this package also become an `AirflowFailException`. Errors of other
    code are not changed.

    The message is logged before the error is raised. Airflow shows it again after a traceback; that traceback does not
    contain the frames inside this package, because the message already says what is wrong. The complete traceback is
    logged at DEBUG.

    :param log: The logger. Default: the log of the task.
    """

    try:
        yield
    except EncordError as error:
        class_ = AirflowException if error.retryable else AirflowFailException
        raise _explained(class_(str(error)), log) from None
    except AirflowNotFoundException as error:
        message = f"encord_conn_id: {error}. Create the connection, or correct its id (check the rendered template)."
        raise _explained(AirflowFailException(message), log) from None
    except AirflowException as error:
        if type(error) in (AirflowException, AirflowFailException):  # not one that skips the task
            log.error("%s", error)
        raise
    except _DEFECTS as error:
        if not _is_ours(error):
            raise
        raise AirflowFailException(
            f"Unexpected {type(error).__name__}: {str(error)[:200]}. This is a bug in airflow-provider-encord; a retry "
            "does not help. Please report it with the traceback in this log."
        ) from error


def _is_ours(error: BaseException) -> bool:
    """Whether the error was raised in this package. This module is ignored, because it also calls users' code."""
    modules = (str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(module.startswith("airflow_provider_encord.") and module != __name__ for module in modules)


def _explained(error: AirflowException, log: Any) -> AirflowException:
    """Log the message of an error, and its traceback at DEBUG. Return the error."""
    log.error("%s", error)
    log.debug("The traceback of this error:", exc_info=sys.exc_info())
    return error


def owner_of(context: Context) -> Owner:
    """Return the owner of files that tasks share: the task instance with all its attempts, or else this process."""
    from airflow_provider_encord.attempts import Owner

    instance: Any = context.get("ti")
    if instance is None:
        return Owner.this_process()
    return Owner(f"{instance.dag_id}/{instance.run_id}/{instance.task_id}/{getattr(instance, 'map_index', -1)}")


def is_last_attempt(context: Context) -> bool:
    """Whether Airflow will not retry the task if this attempt fails."""
    instance: Any = context.get("ti")
    try:
        return bool(instance.try_number > instance.max_tries)
    except (AttributeError, TypeError):  # outside of Airflow
        return False


class EncordBaseOperator(BaseOperator):
    """Base class of the operators. A subclass implements `_execute`, uses `client`, and sets the link with `push_link`.

    :param encord_conn_id: Id of the Airflow connection (templated).
    """

    template_fields: Sequence[str] = ("encord_conn_id",)
    knows_project: ClassVar[bool] = True
    """Whether tasks work on a project, so that they lead to its page in Airflow."""
    _pauses: float = 0
    operator_extra_links = TaskLinks()
    ui_color = "#e6e1fb"

    def __init__(self, *, encord_conn_id: str = DEFAULT_CONNECTION_ID, **kwargs: Any):
        super().__init__(**kwargs)
        self.encord_conn_id = encord_conn_id

    @cached_property
    def hook(self) -> EncordHook:
        """The hook of this task's connection."""
        longest_wait = longest_wait_after(self._pauses) if self._may_pause() else None
        return EncordHook(self.encord_conn_id, longest_wait=longest_wait)

    @property
    def client(self) -> EncordClient:
        """The authenticated client."""
        return self.hook.get_conn()

    @cached_property
    def _learned(self) -> TaskHistory:
        """What the task learns, for the history of projects."""
        from airflow_provider_encord.hooks.history import TaskHistory

        return TaskHistory()

    def remember(self, project_id: str, *facts: Fact | None, at: datetime.datetime | None = None) -> None:
        """Note what the task has learned about a project, for the history. None is nothing.

        :param at: When it was true. Default: now.
        """
        self._learned.remember(project_id, *facts, at=at)

    def remember_project(self, record: ProjectRecord) -> ProjectRecord:
        """Note a project that was read, and return it."""
        self._learned.remember_project(record, self.client.settings)
        return record

    def remember_event(
        self,
        project_id: str,
        event: str,
        result: Mapping[str, Any],
        *,
        outcome: str = "done",
        uri: str | None = None,
        at: datetime.datetime | None = None,
    ) -> None:
        """Note what the task has done.

        :param event: One of `airflow_provider_encord.history.records.EVENTS`.
        :param result: Its numbers are kept.
        :param uri: The file that shows it.
        :param at: When it was done. Default: now.
        """
        self._learned.remember_event(project_id, event, result, outcome=outcome, uri=uri, at=at)

    def write_history(self, context: Context) -> None:
        """Write what was noted, if Airflow's configuration has a place for it. It never raises."""
        self._learned.write(context.get("ti"), once_an_hour=getattr(self, "reschedule", False))

    def execute(self, context: Context) -> Any:
        """Run `_execute`, and convert its errors to Airflow's.

        :raises AirflowFailException: The task failed, and a retry cannot help.
        :raises AirflowException: The task failed, and a retry may help.
        """
        with airflow_errors(self.log), self._noted(context):
            try:
                return self._execute(context)
            except EncordError as error:
                self._pause(context, error)
                raise
            finally:
                self.write_history(context)
                self.hook.close()

    def execute_after_pause(self, context: Context, event: Any = None) -> Any:
        """Continue after Encord asked to wait.

        :param event: The event of `EncordPauseTrigger`.
        """
        found = event if isinstance(event, Mapping) else {}
        self._pauses = found.get("pauses") or 0
        return self._execute_after_pause(context, found.get("carried"))

    def _execute_after_pause(self, context: Context, carried: Any) -> Any:
        """Do the work again, from its beginning. It finds what was done before.

        :param carried: What `_carried_over_pause` returned.
        """
        with self._noted(context, after_wait=True):
            return self.execute(context)

    def _noted(self, context: Context, *, after_wait: bool = False) -> AbstractContextManager[None]:
        """Note the progress of the work inside in the state of the task; see `progress.noted_in`."""
        return noted_in(context.get("task_state_store"), waits=TaskDeferred, after_wait=after_wait)

    def _may_pause(self) -> bool:
        """Whether the task may leave its slot for the triggerer if Encord asks to wait."""
        deferrable = getattr(self, "deferrable", None)
        if deferrable is None:
            return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
        return parse_bool(deferrable, "deferrable")

    def _pause(self, context: Context, error: EncordError) -> None:
        """Defer the task until its next request may be sent, if it may be deferred and is not to wait in its slot."""
        refusal = _refusal_to_wait_elsewhere(error)
        if refusal is None or not self._may_pause():
            return
        from airflow_provider_encord.triggers.pauses import EncordPauseTrigger

        seconds = seconds_of_pause(self._pauses, refusal)
        if self._ends_before(context, seconds):  # without what may be added to it, it may come back in time
            seconds = refusal.retry_after or 0.0
        spread = min(seconds * PAUSES_SPREAD, LONGEST_PAUSES_SPREAD)
        seconds += random.uniform(0, spread)  # noqa: S311 - tasks that pause together do not return together
        if self._ends_before(context, seconds):
            return
        self.log.info("%s The task leaves its slot for %.0f s.", error, seconds)
        trigger = EncordPauseTrigger(
            until=time.time() + seconds,
            carried=self._carried_over_pause(seconds),
            pauses=after_pause(self._pauses, refusal),
        )
        self.defer(trigger=trigger, method_name="execute_after_pause")

    def _ends_before(self, context: Context, seconds: float) -> bool:
        """Whether `execution_timeout` is over before a pause ends. Airflow 3 does not check it while a task waits."""
        begun: Any = getattr(context.get("ti"), "start_date", None)
        if self.execution_timeout is None or begun is None:
            return False
        return bool(time.time() + seconds > begun.timestamp() + self.execution_timeout.total_seconds())

    def _carried_over_pause(self, seconds: float) -> Mapping[str, Any] | None:
        """Return small JSON that the operator needs after a pause of so many seconds; `execute_after_pause` gets it."""
        return None

    def push_link(
        self, context: Context, url: Callable[Concatenate[str, Ids], str | None], *ids: Ids.args, **more: Ids.kwargs
    ) -> None:
        """Set the target of the task's link "Open in Encord".

        Call it as soon as the ids are known, so that the link also works if the task fails later. It never raises.

        :param url: One of the functions of `airflow_provider_encord.links`.
        :param ids: The arguments of that function after the first, which comes from the connection.
        """
        if url in (project_url, queue_url) and ids:
            self.push_project_page(context, str(ids[0]))
        self.push_address(context, url(self.client.settings.link_base, *ids, **more))

    def push_project_page(self, context: Context, project_id: str) -> None:
        """Set the target of the task's link "Project in Airflow", if Airflow has such a page."""
        if has_project_pages():
            self.push_address(context, project_page_path(project_id), key=PROJECT_XCOM_KEY)

    def push_address(self, context: Context, address: str | None, *, key: str = XCOM_KEY) -> None:
        """Set the target of a link to an address that is known without the connection; None sets none.

        :param key: The XCom key of the link.
        """
        task_instance = context.get("ti")
        if address is None or task_instance is None:  # outside of Airflow, such as in a unit test
            return
        try:
            task_instance.xcom_push(key=link_key(key), value=address)
        except Exception as error:  # noqa: BLE001 - no XCom backend may fail the task because of a link
            self.log.warning("The link to Encord could not be stored: %s.", type(error).__name__)

    def push_project_links(self, context: Context, host: str, project_id: str) -> None:
        """Set the targets of both links for a project that a file names.

        The connection is read only if the host is not one of Encord's own, and nothing is sent. If it cannot be read or
        is about another host, there is no link to Encord.

        :param host: Host of the API that the file is from.
        """
        self.push_project_page(context, project_id)
        address = project_url(f"https://{host}", project_id)
        if address is None:
            try:
                settings = self.client.settings
            except (EncordError, AirflowException):
                return
            address = project_url(settings.link_base, project_id) if settings.host == host else None
        self.push_address(context, address)

    def record_asset_event(self, context: Context, uri: str, extra: Mapping[str, Any], *, changed: bool = True) -> None:
        """Add the result of the task to its asset event.

        If an outlet of the task is the asset with this URI, its event gets `extra`. If an outlet is an asset alias, an
        event of the asset is added to it. Without such an outlet, there is no event. If the task fails, Airflow creates
        no events.

        :param uri: URI of the asset, from `airflow_provider_encord.assets`.
        :param extra: A small JSON object: counts, and URIs of large results.
        :param changed: Whether the task changed anything. If not, an asset alias gets no event. For an outlet that is
            the asset itself, Airflow always creates an event.
        """
        from airflow.providers.common.compat.sdk import Asset, AssetAlias

        events = context.get("outlet_events")
        if events is None:  # outside of Airflow, such as in a unit test
            return
        for outlet in self.outlets or ():
            if isinstance(outlet, AssetAlias):
                if changed:
                    events[outlet].add(Asset(uri=uri), extra=dict(extra))
            elif getattr(outlet, "uri", None) == uri:
                events[outlet].extra.update(extra)
            elif _differs_in_host(str(getattr(outlet, "uri", "")), uri):
                self.log.warning(
                    "The event of the outlet %s has no counts, because the asset for this connection is %s. Pass the "
                    "host of the connection (host=...) to the function that creates the asset.",
                    outlet.uri,
                    uri,
                )

    @abstractmethod
    def _execute(self, context: Context) -> Any:
        """Do the work of the operator. May raise the errors of this package.

        :return: The XCom value: ids, counts, URIs.
        """


def _refusal_to_wait_elsewhere(error: EncordError) -> RateLimitedError | None:
    """The refusal behind an error, if it asks to wait, and that is not to be waited for in a slot; else None."""
    while isinstance(error, PartialFailureError):
        error = error.cause
    if not isinstance(error, RateLimitedError) or not error.retry_after:
        return None
    return error if error.wait_elsewhere or error.retry_after > LONGEST_WAIT_IN_SLOT else None


def _differs_in_host(outlet: str, uri: str) -> bool:
    """Whether the outlet and the URI differ only in the host."""
    one, other = urllib.parse.urlsplit(outlet), urllib.parse.urlsplit(uri)
    return (one.scheme, one.path) == (other.scheme, other.path) and one.netloc != other.netloc
