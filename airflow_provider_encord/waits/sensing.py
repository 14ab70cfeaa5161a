"""A wait as a sensor does it: polls on the worker, and what the trigger gets if the triggerer polls after that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_encord.attempts import Checkpoint, Store, fingerprint
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.history.records import Fact
from airflow_provider_encord.waits.conditions import Condition, Found, Memory, carried, look, to_dictionary
from airflow_provider_encord.waits.observing import fact_of
from airflow_provider_encord.waits.patience import Patience
from airflow_provider_encord.waits.questions import Question

log = logging.getLogger(__name__)


class Wait:
    """A wait of one task, over all its polls on this worker.

    :param prepare: Returns the condition. It is called until it succeeds.
    :param store: Airflow's task state store, where the memory is kept between attempts; None without one.
    :param key: Key of the memory in the store.
    :param about: The arguments of the sensor, if its condition depends on earlier polls; else None.
    :param remember: Gets the id of the project, and what a poll says about it.
    """

    def __init__(
        self,
        prepare: Callable[[], Condition],
        *,
        store: Store | None,
        key: str,
        about: Mapping[str, Any] | None,
        remember: Callable[[str, Fact | None], None],
    ):
        self._remember = remember
        self._prepare, self._patience = prepare, Patience()
        self._condition: Condition | None = None
        self._checkpoint = None if about is None else Checkpoint(store, key, fingerprint(**about), dict[str, float])
        self._memory: Memory | None = None
        self.retry_after = 0.0
        """Seconds that Encord asked to wait after the last poll."""

    def look(self, client: Callable[[], EncordClient], *, to_defer: bool) -> Found | None:
        """Poll once.

        :param client: Returns the client.
        :param to_defer: Whether the trigger follows if the condition is not met. It needs the condition.
        :return: None if the condition is not met, or after a temporary failure.
        :raises EncordError: A permanent error.
        """
        self.retry_after = 0.0
        try:
            if self._condition is None:
                self._condition = self._prepare()
            if self._memory is None:
                self._memory = (self._checkpoint.load() or {}) if self._checkpoint else {}
            self._condition, found, state = self._poll(client(), self._condition, self._memory)
        except EncordError as error:
            if self._patience.ends(error) or (to_defer and self._condition is None):
                raise
            self.retry_after = getattr(error, "retry_after", None) or 0.0
            log.warning("A poll failed; the wait continues: %s", error)
            return None
        self._patience.succeeded()
        if self._checkpoint:
            self._checkpoint.save(carried(self._memory))
        log.info("%s", state)
        return found

    def _poll(self, client: EncordClient, condition: Condition, memory: Memory) -> tuple[Condition, Found | None, str]:
        def notice(question: Question, answer: Any) -> None:
            self._remember(condition.project_id, fact_of(question, answer, client.settings))

        return client.run(look(condition, memory, notice))

    def for_trigger(self) -> dict[str, Any]:
        """Return the condition and the memory, as arguments of the trigger."""
        assert self._condition is not None  # noqa: S101 - `look` has set it
        return {"condition": to_dictionary(self._condition), "memory": carried(self._memory or {})}
