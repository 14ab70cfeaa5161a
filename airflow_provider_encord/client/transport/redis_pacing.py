"""The pace of a credential in Redis, where the tasks of all machines find it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

from airflow_provider_encord.client.transport.pace import Pace
from airflow_provider_encord.client.transport.pacing import Store, packed, unpacked

log = logging.getLogger(__name__)

T = TypeVar("T")

_TIMEOUT = 2.0  # seconds for one exchange with Redis
_WITHOUT = 30.0  # seconds in which Redis is not asked again after it failed
_COMPARED = 60.0  # seconds after which the clock is compared with the one of Redis again
_KEPT = 86_400  # seconds without a request after which Redis forgets the pace
_PREFIX = "airflow-provider-encord:"


class RedisStore:
    """Keeps a pace in Redis. While Redis cannot be used, another store stands in.

    :param url: ``redis://``, ``rediss://`` (TLS) or ``unix://``. It may contain a password, so no message quotes it.
    :param name: Name of the pace.
    :param stand_in: For when Redis cannot be used.
    :raises ModuleNotFoundError: The extra ``redis`` is not installed.
    :raises ValueError: The URL is not one of Redis.
    """

    may_block = True

    def __init__(self, url: str, name: str, stand_in: Store):
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        once_more = Retry(NoBackoff(), 1)  # a connection may have been closed since it was last used
        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=once_more
        )
        pool = self._redis.connection_pool
        try:
            pool.connection_class(**pool.connection_kwargs)  # not connected yet
        except (TypeError, ValueError, redis.RedisError):
            raise ValueError("a parameter of the URL is unknown or wrong") from None
        self._key, self._stand_in, self._not_before = _PREFIX + name, stand_in, 0.0
        self._ahead, self._compared_at = 0.0, -math.inf

    def update(self, change: Callable[[Pace], T]) -> T:
        """See `pacing.Store`."""
        if time.monotonic() < self._not_before:
            return self._stand_in.update(change)
        try:
            self._compare_clocks()
            result: T = self._redis.transaction(
                lambda pipe: self._change(pipe, change), self._key, value_from_callable=True
            )
        except Exception as error:  # noqa: BLE001 - whatever Redis answers, it must not fail a task
            self._not_before = time.monotonic() + _WITHOUT
            log.warning(
                "The tasks of this machine share Encord's rate limit only with each other for %.0f s, because Redis "
                "cannot be used: %s",
                _WITHOUT,
                type(error).__name__,
            )
            return self._stand_in.update(change)
        return result

    def _compare_clocks(self) -> None:
        """Find by how much this clock is ahead of the one of Redis, in whose time all machines keep the pace."""
        now = time.monotonic()
        if now - self._compared_at > _COMPARED:
            seconds, microseconds = self._redis.time()
            self._ahead, self._compared_at = time.time() - seconds - microseconds / 1e6, now

    def _change(self, pipe: Any, change: Callable[[Pace], T]) -> T:
        pace = unpacked(pipe.get(self._key) or b"")
        pace.shift(self._ahead)
        result = change(pace)
        pace.shift(-self._ahead)
        pipe.multi()
        pipe.set(self._key, packed(pace), ex=_KEPT)
        return result
