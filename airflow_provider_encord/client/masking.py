"""Every form in which a stored secret can turn up in a log line, so that the hook can have all of them masked.

Airflow masks a secret where it appears whole and unchanged. One line of a private key is not the whole, and
goes through in clear; neither is what escaping makes of the line ends.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from airflow_provider_encord.client.key_refusals import KeyTextError
from airflow_provider_encord.client.pem import LINE_END_ESCAPE, read_key_block

_SHORTEST_LINE = 8  # characters; shorter pieces say nothing about a key and would mask innocent words
_WIDTHS = (64, 70, 76)  # line lengths of PKCS#8, of OpenSSH, and of base64 in mail
_ARMOR = re.compile(r"-+\s*(?:BEGIN|END)[A-Z0-9\s]*-+")


def secret_forms(text: str) -> list[str]:
    """The pieces to mask for one secret.

    :param text: A private key, passphrase or API key as it is stored, mangled or not.
    :return: The whole, each line of its body, and what escaping, joining and wrapping make of both; longest first, so
        that a masker which takes them in order leaves no rest of a longer one. Empty for a blank text.
    """
    if not text.strip():
        return []
    forms = {text, text.strip(), *_escaped(text.strip())}
    for body in (text, *_bodies(text)):
        forms.update(_lines(body))
    return sorted((form for form in forms if form), key=lambda form: (-len(form), form))


def _escaped(text: str) -> Iterator[str]:
    """The whole as JSON, shells, URIs and single-line boxes write it."""
    lines = text.splitlines()
    for line_end in ("\n", "\r\n", "\\n", "\\r\\n", "\\\\n", " ", ""):
        yield line_end.join(lines)
    once = [json.dumps(text)[1:-1], repr(text)[1:-1]]
    yield from once
    for escaped in once:  # a connection's JSON with the fields as text, which is JSON again; a repr that quotes either
        yield json.dumps(escaped)[1:-1]
        yield repr(escaped)[1:-1]
    yield quote(text)
    for written in (text, once[0]):  # a connection's URI has its fields as they are, or all of them as JSON
        yield quote(written, safe="")
        yield quote_plus(written)
    if len(lines) > 1:
        yield base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
        yield base64.b64encode((text + "\n").encode("utf-8", "surrogateescape")).decode()


def _bodies(text: str) -> Iterator[str]:
    """What stands between BEGIN and END, as one run and wrapped as tools wrap it; nothing if it is not a key."""
    try:
        block = read_key_block(text)
    except KeyTextError:
        return
    run = base64.b64encode(block.body).decode()
    yield run
    for width in _WIDTHS:
        yield "\n".join(run[start : start + width] for start in range(0, len(run), width))


def _lines(text: str) -> Iterator[str]:
    for line in _ARMOR.sub("\n", LINE_END_ESCAPE.sub("\n", text)).split():
        piece = line.strip("\"',\\")
        if len(piece) >= _SHORTEST_LINE:
            yield piece
            yield quote(piece, safe="")
