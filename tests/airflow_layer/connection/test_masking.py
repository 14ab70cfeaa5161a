"""How many patterns Airflow's masker is given, and that they leave nothing of a secret."""

from __future__ import annotations

import json
import re
from urllib.parse import quote, quote_plus

import pytest

from airflow_provider_encord.hooks.masking import patterns
from tests.client import keys

MOST_PATTERNS = 20
SECRETS = {
    "key": keys.openssh(keys.new_key()),
    "locked key": keys.openssh(keys.new_key(), "open sesame"),
    "key with blanks for line ends": keys.openssh(keys.new_key()).replace("\n", " "),
    "PKCS#8": keys.pkcs8(keys.new_key()),
    "API key": "q7-Hk29_fzXw4LmB0sVtR8yNcE3uJdPaGi6oYh1K",
    "passphrase": 'it\'s "quoted", 100% & spaced',
    "nonsense": "not a key at all, just pasted text",
}


def _printed(secret: str) -> list[str]:
    """The secret as a log line could hold it, and each line of it."""
    lines = secret.splitlines()
    joined = [glue.join(lines) for glue in ("\n", "\r\n", "\\n", "\\r\\n", " ", "")]
    written = [json.dumps(secret), repr(secret), quote(secret), quote(secret, safe=""), quote_plus(secret)]
    written += [quote(json.dumps(secret), safe=""), quote_plus(json.dumps(secret))]  # a connection's URI
    # A connection whose extra is text, JSON in JSON, is quoted by a KeyError, whose text is a repr.
    nested = [outer(inner(secret)) for outer in (json.dumps, repr) for inner in (json.dumps, repr)]
    by_line = [write(line) for line in lines for write in (str, json.dumps, repr, _quoted)]
    return [secret, *joined, *written, *nested, *by_line]


def _quoted(text: str) -> str:
    return quote(text, safe="")


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_nothing_is_left_of_a_secret_in_whatever_order_the_patterns_are_tried(secret: str) -> None:
    chosen = patterns([secret])
    for order in (chosen, chosen[::-1], sorted(chosen), sorted(chosen)[::-1]):
        masker = re.compile("|".join(re.escape(pattern) for pattern in order))
        for form in _printed(secret):
            rest = re.sub(r"BEGIN|END|OPENSSH|ENCRYPTED|PRIVATE|KEY|-----", "", masker.sub("", form))
            assert not re.search(r"[A-Za-z0-9+/=_]{5,}", rest), (form, rest)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_few_patterns_are_enough_and_the_whole_is_among_them(secret: str) -> None:
    chosen = patterns([secret])

    assert secret in chosen
    assert len(chosen) <= MOST_PATTERNS
    assert len(chosen) == len(set(chosen))


def test_no_secret_needs_no_pattern() -> None:
    assert patterns([]) == []
    assert patterns([" "]) == []
