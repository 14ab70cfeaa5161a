"""What all operators share: the hook, and errors in Airflow's words."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, BaseOperator

from airflow_provider_encord.get_provider_info import DEFAULT_CONNECTION_ID
from airflow_provider_encord.hooks.encord import EncordHook

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.client.client import EncordClient


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turn our errors into Airflow's: those that a retry can mend into `AirflowException`, others into
    `AirflowFailException`, which Airflow does not retry.
    """
    from airflow_provider_encord.client.errors import EncordError

    try:
        yield
    except EncordError as error:
        class_ = AirflowException if error.retryable else AirflowFailException
        raise class_(str(error)) from error


class EncordBaseOperator(BaseOperator):
    """Base of the operators: they implement `act` and use `client`.

    :param encord_conn_id: Id of the Airflow connection (templated).
    """

    template_fields: Sequence[str] = ("encord_conn_id",)
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
        """Do the task's work; see `act`.

        :raises AirflowFailException: It failed, and a retry cannot help.
        :raises AirflowException: It failed, and a retry may help.
        """
        with airflow_errors():
            try:
                return self.act(context)
            finally:
                self.hook.close()

    @abstractmethod
    def act(self, context: Context) -> Any:
        """The work of the operator; may raise our own errors.

        :return: What goes to XCom: ids, counts, URIs.
        """
