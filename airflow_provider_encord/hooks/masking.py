"""The fewest patterns with which Airflow's masker leaves nothing of a secret in a log line.

Each pattern costs. The masker compiles all of them into one expression again for every one that is added, in
the task and in its supervisor: the forty forms of one key took half a second. And it tries them in no order, so where
one begins another, it may mask the shorter one and leave the rest. So the key is masked line by line, as it is stored,
and of the other forms only those that are not made of these lines.
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
_TELLING = re.compile(r"[A-Za-z0-9+/=_-]{5,}")  # characters in a row; fewer say nothing of a key


def patterns(secrets: Iterable[str]) -> list[str]:
    """What to have masked.

    :param secrets: Private keys, passphrases and API keys as they are stored.
    :return: The secrets themselves, and of their other forms those that are not made of shorter ones.
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
    """The forms without lines that are broken elsewhere than those of the stored text; shortest first."""
    lines = set(_BETWEEN_LINES.split(secret))
    lines |= {quote(line, safe="") for line in lines}
    forms = secret_forms(secret)
    if not any(_ARMOR.search(form) for form in forms):
        return sorted(forms, key=len)  # no key: a passphrase or an API key, which has few forms
    return sorted((form for form in forms if form in lines or len(form) > _LONGEST_LINE), key=len)


def _tells(form: str, chosen: list[str]) -> bool:
    """Whether something of the secret is left when what is chosen is masked."""
    rest = form
    for pattern in reversed(chosen):  # longest first
        rest = rest.replace(pattern, _MASKED)
    return bool(_TELLING.search(_ARMOR.sub(_MASKED, rest)))
