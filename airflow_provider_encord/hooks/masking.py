"""Choose the patterns for Airflow's secrets masker: as few as possible, but enough to hide a secret in any log line.

Each pattern takes time. For every new pattern, the masker compiles all patterns into one regular expression again, in
the task and in its supervisor: with all forty forms of one key this took half a second. The masker also tries patterns
in no fixed order: if one pattern is the beginning of another, it may mask the shorter one and show the rest. So the
stored lines of a key are masked, and other forms of the key only if they do not consist of these lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from airflow_provider_encord.client.masking import secret_forms

_LONGEST_LINE = 100  # characters; longer forms are whole keys
_MASKED = "\0"
_BETWEEN_LINES = re.compile(r"(?:\s|\\+[rn])+")
_ARMOR = re.compile(r"-----(BEGIN|END)[A-Z0-9% ]*-----|OPENSSH|ENCRYPTED|PRIVATE|KEY")
_TELLING = re.compile(r"[A-Za-z0-9+/=_-]{5,}")  # shorter sequences do not reveal a key


def patterns(secrets: Iterable[str]) -> list[str]:
    """Return the patterns to mask.

    :param secrets: Private keys, passphrases and API keys, as they are stored.
    :return: The secrets, and those of their other forms that do not consist of shorter patterns.
    """
    needed: list[str] = []
    for secret in secrets:
        chosen: list[str] = []
        for form in _forms(secret):
            if form == secret or _tells(form, chosen):
                chosen.append(form)
        needed += chosen
    return list(dict.fromkeys(needed))


def _forms(secret: str) -> list[str]:
    """The forms of a secret, shortest first. Forms with other line breaks than the stored text are left out."""
    lines = set(_BETWEEN_LINES.split(secret))
    lines |= {quote(line, safe="") for line in lines}
    forms = secret_forms(secret)
    if not any(_ARMOR.search(form) for form in forms):
        return sorted(forms, key=len)  # not a private key; passphrases and API keys have few forms
    return sorted((form for form in forms if form in lines or len(form) > _LONGEST_LINE), key=len)


def _tells(form: str, chosen: list[str]) -> bool:
    """Whether a part of the secret stays visible when the chosen patterns are masked."""
    rest = form
    for pattern in reversed(chosen):  # longest first
        rest = rest.replace(pattern, _MASKED)
    return bool(_TELLING.search(_ARMOR.sub(_MASKED, rest)))
