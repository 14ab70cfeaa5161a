"""Checks of ids (UUIDs) and e-mail addresses before they become part of a request."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from airflow_provider_encord.client.errors import InvalidArgumentError


def require_id(value: object, name: str) -> str:
    """Check an id.

    :param value: The value that a user passed.
    :param name: Name of the argument, for the message.
    :return: The UUID in its usual form, lower case.
    :raises InvalidArgumentError: It is not a UUID.
    """
    try:
        return str(uuid.UUID(str(value).strip()))
    except ValueError:
        raise InvalidArgumentError(
            f"{name}: {str(value)[:80]!r} is not an id. Pass the UUID, such as the one in the address of the web app."
        ) from None


def is_id(value: str) -> bool:
    """Whether a value is an id. For arguments that take an id or a name."""
    try:
        uuid.UUID(value.strip())
    except ValueError:
        return False
    return True


def require_ids(values: Sequence[object] | str, name: str) -> list[str]:
    """Check several ids. A single string is treated as a list of one. Duplicates are dropped; the order is kept."""
    given = [values] if isinstance(values, str) else list(values)
    return list(dict.fromkeys(require_id(value, name) for value in given))


def require_emails(values: Sequence[object] | str, name: str) -> list[str]:
    """Check that e-mail addresses are plausible. A single string is treated as a list of one.

    Duplicates are dropped, also if they differ only in case, because Encord has one user per address.

    :raises InvalidArgumentError: An address has no text before or after its ``@``, or contains blanks.
    """
    given = [values] if isinstance(values, str) else list(values)
    checked = [_require_email(value, name) for value in given]
    return list({email.casefold(): email for email in reversed(checked)}.values())[::-1]


def _require_email(value: object, name: str) -> str:
    text = str(value).strip()
    before, _, after = text.partition("@")
    odd = any(character.isspace() or not character.isprintable() for character in text)
    if any(separator in text for separator in ",;"):
        raise InvalidArgumentError(f"{name}: {text[:80]!r} is more than one e-mail address. Pass a list of addresses.")
    if not before or not after or "@" in after or odd:
        raise InvalidArgumentError(f"{name}: {text[:80]!r} is not an e-mail address.")
    return text
