"""The settings of the receiver, from section ``[encord]`` of Airflow's configuration."""

from __future__ import annotations

import dataclasses
import logging
import re
import uuid

from airflow.configuration import conf
from airflow.providers.common.compat.sdk import AirflowException, mask_secret

SECTION = "encord"
DEFAULT_MAX_BODY_BYTES = 1024 * 1024
DEFAULT_TOLERANCE_SECONDS = 300
_SEPARATORS = re.compile(r"[\s,]+")
_log = logging.getLogger(__name__)


class SettingsError(ValueError):
    """An option cannot be used; the text names it and says what to write."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReceiverSettings:
    """How the receiver works.

    :param secrets: Signing secrets; a delivery must be signed with one of them.
    :param project_ids: Projects whose deliveries are acted on.
    :param max_body_bytes: Longer deliveries are refused.
    :param tolerance_seconds: How far the time of the signature may be from now.
    :param encord_conn_id: Connection with which tasks and edit times are looked up; None to look up nothing.
    """

    secrets: tuple[str, ...] = dataclasses.field(repr=False)
    project_ids: frozenset[str]
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    tolerance_seconds: int = DEFAULT_TOLERANCE_SECONDS
    encord_conn_id: str | None = None


def read_settings() -> ReceiverSettings | None:
    """Read the settings.

    :return: The settings; None if there are no secrets, so that the receiver is off.
    :raises SettingsError: An option has a value that cannot be used.
    """
    secrets = _words("webhook_secrets")
    if not secrets:
        return None
    for secret in secrets:
        mask_secret(secret)
    projects = frozenset(map(_project_id, _words("webhook_projects")))
    if not projects:
        _log.warning(
            "[encord] webhook_projects is empty, so the deliveries of all projects are ignored. List the ids of the "
            "projects whose webhooks this deployment handles."
        )
    return ReceiverSettings(
        secrets=tuple(secrets),
        project_ids=projects,
        max_body_bytes=_positive("webhook_max_body_bytes", DEFAULT_MAX_BODY_BYTES),
        tolerance_seconds=_positive("webhook_tolerance_seconds", DEFAULT_TOLERANCE_SECONDS),
        encord_conn_id=_text("webhook_conn_id") or None,
    )


def _text(option: str) -> str:
    """:raises SettingsError: The command or the secrets backend that has the value failed."""
    try:
        return str(conf.get(SECTION, option, fallback="") or "").strip()
    except AirflowException:
        pass  # the error of a command quotes what it wrote
    raise SettingsError(f"[encord] {option}: it cannot be read. Check the command or the secret that holds it.")


def _words(option: str) -> list[str]:
    return [word for word in _SEPARATORS.split(_text(option)) if word]


def _project_id(word: str) -> str:
    try:
        return str(uuid.UUID(word))
    except ValueError:
        raise SettingsError(
            f"[encord] webhook_projects: {word[:80]!r} is not an id (UUID). List ids, separated by commas."
        ) from None


def _positive(option: str, default: int) -> int:
    text = _text(option)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and int(text[:12]) > 0):
        raise SettingsError(f"[encord] {option}: {text[:80]!r} is not a whole number above 0. Correct or remove it.")
    return int(text[:12])
