"""All forms in which a stored secret can appear in a log line, so that the hook can mask them.

Airflow masks a secret only where it appears complete and unchanged. It does not mask a single line of a private key, or
a key with escaped line ends.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from airflow_provider_encord.client.key_refusals import KeyTextError
from airflow_provider_encord.client.pem import LINE_END_ESCAPE, read_key_block

_SHORTEST_LINE = 8  # characters; shorter pieces reveal nothing about a key, and masking them would mask ordinary words
_WIDTHS = (64, 70, 76)  # line lengths of PKCS#8, of OpenSSH, and of base64 in mail
_ARMOR = re.compile(r"-+\s*(?:BEGIN|END)[A-Z0-9\s]*-+")


def secret_forms(text: str) -> list[str]:
    """The texts to mask for one secret.

    :param text: A private key, passphrase or API key as it is stored, mangled or not.
    :return: The whole text, each line of its body, and the escaped, joined and wrapped forms of both. The longest come
        first, so that masking in order leaves no part of a longer one. Empty for a blank text.
    """
    if not text.strip():
        return []
    forms = {text, text.strip(), *_escaped(text.strip())}
    for body in (text, *_bodies(text)):
        forms.update(_lines(body))
    return sorted((form for form in forms if form), key=lambda form: (-len(form), form))


def _escaped(text: str) -> Iterator[str]:
    """The whole text as JSON, shells, URIs and single-line form fields write it."""
    lines = text.splitlines()
    for line_end in ("\n", "\r\n", "\\n", "\\r\\n", "\\\\n", " ", ""):
        yield line_end.join(lines)
    once = [json.dumps(text)[1:-1], repr(text)[1:-1]]
    yield from once
    for escaped in once:  # a connection's JSON contains its fields as JSON text again; a repr may quote either
        yield json.dumps(escaped)[1:-1]
        yield repr(escaped)[1:-1]
    yield quote(text)
    for written in (text, once[0]):  # a connection's URI contains its fields unchanged, or all of them as JSON
        yield quote(written, safe="")
        yield quote_plus(written)
    if len(lines) > 1:
        yield base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
        yield base64.b64encode((text + "\n").encode("utf-8", "surrogateescape")).decode()


def _bodies(text: str) -> Iterator[str]:
    """The text between BEGIN and END, as one line and wrapped as tools wrap it; nothing if the text is not a key."""
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
