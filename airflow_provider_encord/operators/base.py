"""What all operators share: the hook, errors in Airflow's words, and the link into Encord's web app."""

from __future__ import annotations

import logging
import sys
import traceback
import urllib.parse
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    BaseOperator,
)

from airflow_provider_encord.get_provider_info import DEFAULT_CONNECTION_ID
from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.links import EncordLink, link_key

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.attempts import Owner
    from airflow_provider_encord.client.client import EncordClient

Ids = ParamSpec("Ids")
TASK_LOG = logging.getLogger("airflow.task")
_DEFECTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, AssertionError, RecursionError)
"""What our code raises for input that no check refused; never for a network, a disk or Encord."""


@contextmanager
def airflow_errors(log: Any = TASK_LOG) -> Iterator[None]:
    """Turn our errors into Airflow's: those that a retry can mend into `AirflowException`, others into
    `AirflowFailException`, which Airflow does not retry. A connection that does not exist is one of the others, and
    so is a defect of ours. What other code raises is left as it is.

    The message goes to the log first. Airflow shows it again, last, after a traceback without the frames that led to
    it: the message says what is wrong. The whole traceback is logged at DEBUG.

    :param log: Where to log; by default the log of the task.
    """
    from airflow_provider_encord.client.errors import EncordError

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
            f"Unexpected {type(error).__name__}: {str(error)[:200]}. This is a defect of airflow-provider-encord, and "
            "a retry would fail, too. Report it with the traceback in this log."
        ) from error


def _is_ours(error: BaseException) -> bool:
    """Whether an error passed through code of this package, other than this module: it calls the code of users, too."""
    modules = (str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(module.startswith("airflow_provider_encord.") and module != __name__ for module in modules)


def _explained(error: AirflowException, log: Any) -> AirflowException:
    """The error that Airflow is to show, after the log has its message, and at DEBUG how it came about."""
    log.error("%s", error)
    log.debug("The traceback of this error:", exc_info=sys.exc_info())
    return error


def owner_of(context: Context) -> Owner:
    """Who writes into shared places: the task instance, over all its attempts; outside of Airflow, this process."""
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
    """Base of the operators: they implement `_execute`, use `client`, and tell with `push_link` what they work on.

    :param encord_conn_id: Id of the Airflow connection (templated).
    """

    template_fields: Sequence[str] = ("encord_conn_id",)
    operator_extra_links: tuple[EncordLink, ...] = (
        EncordLink(),
    )  # of the class: those of an object are lost when a task is mapped
    ui_color = "#e6e1fb"

    def __init__(self, *, encord_conn_id: str = DEFAULT_CONNECTION_ID, **kwargs: Any):
        super().__init__(**kwargs)
        self.encord_conn_id = encord_conn_id

    @cached_property
    def hook(self) -> EncordHook:
        """The hook of this task's connection."""
        return EncordHook(self.encord_conn_id)

    @property
    def client(self) -> EncordClient:
        """The authenticated client."""
        return self.hook.get_conn()

    def execute(self, context: Context) -> Any:
        """Do the task's work; see `_execute`.

        :raises AirflowFailException: It failed, and a retry cannot help.
        :raises AirflowException: It failed, and a retry may help.
        """
        with airflow_errors(self.log):
            try:
                return self._execute(context)
            finally:
                self.hook.close()

    def push_link(
        self, context: Context, url: Callable[Concatenate[str, Ids], str | None], *ids: Ids.args, **more: Ids.kwargs
    ) -> None:
        """Let the task's button "Open in Encord" lead to what it works on.

        To be called as soon as the ids are known: a link is wanted most when the task fails afterwards. Never fails.

        :param url: One of the functions of `airflow_provider_encord.links`.
        :param ids: What it takes after the API's base URL.
        """
        address = url(self.client.settings.base_url, *ids, **more)
        task_instance = context.get("ti")
        if address is None or task_instance is None:  # none outside of Airflow, such as in a unit test
            return
        try:
            task_instance.xcom_push(key=link_key(), value=address)
        except Exception as error:  # noqa: BLE001 - a button is not worth a failure, whatever the XCom backend raises
            self.log.warning("The link to Encord cannot be stored: %s.", type(error).__name__)

    def record_asset_event(self, context: Context, uri: str, extra: Mapping[str, Any], *, changed: bool = True) -> None:
        """Put what the task did into the asset event that its end makes.

        An outlet that is the asset of this URI gets the extra; an outlet that is an asset alias gets an event of the
        asset. A task without such outlets makes no event. On a failure of the task Airflow makes none either.

        :param uri: Of `airflow_provider_encord.assets`.
        :param extra: Small, JSON: counts, and the URI of what is large.
        :param changed: Whether there is anything new. If not, an asset alias gets no event; an outlet that is the asset
            gets one from Airflow in any case.
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
                    "The outlet %s gets an event without counts: the connection leads to %s. Give the host of the "
                    "connection to the function that makes the asset (host=...).",
                    outlet.uri,
                    uri,
                )

    @abstractmethod
    def _execute(self, context: Context) -> Any:
        """The work of the operator; may raise our own errors.

        :return: What goes to XCom: ids, counts, URIs.
        """


def _differs_in_host(outlet: str, uri: str) -> bool:
    """Whether an outlet is the same thing on another host."""
    one, other = urllib.parse.urlsplit(outlet), urllib.parse.urlsplit(uri)
    return (one.scheme, one.path) == (other.scheme, other.path) and one.netloc != other.netloc
