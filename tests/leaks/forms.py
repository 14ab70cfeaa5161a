"""What a secret is made of, and every form in which software writes bytes down.

A key has no form as a whole. Code that wraps, joins, indents or escapes it changes only what is between its
lines, so its lines are pieces, and so is the run of all of them, which another wrapping gives.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SHORTEST = 8  # bytes of a piece; fewer are in innocent texts too


@dataclasses.dataclass(frozen=True)
class Secret:
    """Something that must be nowhere.

    :param name: What to call it in a report.
    :param pieces: Any of them gives something away.
    :param public: Bytes within the pieces that everybody may know, like the public half of a key.
    """

    name: str
    pieces: tuple[bytes, ...] = dataclasses.field(repr=False)
    public: tuple[bytes, ...] = ()


def text_secret(name: str, text: str) -> Secret:
    """A passphrase or an API key.

    :raises ValueError: It is so short that innocent text may contain it.
    """
    if len(text.encode()) < SHORTEST:
        raise ValueError(f"{name} has fewer than {SHORTEST} bytes: choose a longer one for what is searched for.")
    return Secret(name, (text.encode(),))


def signed_url(name: str, url: str) -> Secret:
    """A URL whose query lets its holder upload or download; only the query is secret."""
    return text_secret(name, urlsplit(url).query)


def private_key(name: str, text: str, passphrase: str | None = None) -> list[Secret]:
    """An Ed25519 key: each line of its file, its body in one run, the bytes of it, and the numbers that it stands for.

    :param text: The key file.
    :param passphrase: What it is encrypted with, if it is.
    """
    *lines, run, body = key_pieces(text)
    password = passphrase.encode() if passphrase is not None else None
    load = serialization.load_ssh_private_key if "OPENSSH" in text else serialization.load_pem_private_key
    key = load(text.encode(), password)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{name} is not an Ed25519 key.")
    seed = key.private_bytes_raw()
    public = key.public_key().public_bytes_raw()
    blob = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    known = (public, base64.b64decode(blob.split()[1]))
    return [
        *(Secret(f"line {number} of {name}", (line,), known) for number, line in enumerate(lines, 1)),
        Secret(f"the body of {name}", (run,), known),
        Secret(f"the bytes of {name}", (body,), known),
        Secret(f"the numbers of {name}", (seed, seed + public, hashlib.sha512(seed).digest()), known),
    ]


def key_pieces(text: str) -> list[bytes]:
    """The lines between BEGIN and END, all of them in one run, and the bytes that they stand for (or none)."""
    lines = [line.strip().encode() for line in text.splitlines() if "-----" not in line and ":" not in line]
    run = b"".join(lines)
    try:
        body = base64.b64decode(run + b"=" * (-len(run) % 4))
    except binascii.Error:
        body = b""
    return [*(line for line in lines if line), run, body]


def encodings(piece: bytes) -> dict[str, bytes]:
    """Every form of a piece, by what it is called."""
    forms = {"raw": piece, "bytes": repr(piece)[2:-1].encode(), **_wire_forms(piece)}
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        text = piece.decode("latin-1")  # bytes that were taken for text
    forms |= dict(_texts(text))
    if forms["JSON"] != piece:
        forms |= {f"{name} of JSON": form for name, form in _wire_forms(forms["JSON"]).items()}
    return forms


def _wire_forms(piece: bytes) -> dict[str, bytes]:
    """Forms that bytes travel in. In base64 the text depends on how many bytes are before it; the ends, which depend on
    the neighbours too, are left out.
    """
    forms = {"hex": piece.hex().encode(), "HEX": piece.hex().upper().encode(), **dict(_percent(piece))}
    for before in range(3):
        padded = bytes(before) + piece
        base = base64.b64encode(padded)[4 * bool(before) : -4 if len(padded) % 3 else None]
        forms |= {f"base64+{before}": base, f"base64url+{before}": base.translate(bytes.maketrans(b"+/", b"-_"))}
    return forms


def _percent(piece: bytes) -> Iterator[tuple[str, bytes]]:
    yield "quoted path", quote(piece).encode()
    for name, text in (("quoted", quote(piece, safe="")), ("quoted plus", quote_plus(piece))):
        yield name, text.encode()
        yield f"{name}, lower case", _lower_percent(text).encode()
        yield f"{name} twice", quote(text).encode()
    yield "all quoted", "".join(f"%{byte:02X}" for byte in piece).encode()


def _texts(text: str) -> Iterator[tuple[str, bytes]]:
    once = json.dumps(text)[1:-1]
    yield "JSON", once.encode()
    yield "JSON in UTF-8", json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
    yield "JSON twice", json.dumps(once)[1:-1].encode()
    yield "JSON three times", json.dumps(json.dumps(once)[1:-1])[1:-1].encode()
    yield "JSON, slashes escaped", once.replace("/", "\\/").encode()
    for name, form in (("lower", "04x"), ("upper", "04X")):
        escaped = "".join(one if one.isalnum() and one.isascii() else _escape(one, form) for one in text)
        yield f"JSON, all escaped, {name} case", escaped.encode()
        yield (
            f"JSON for HTML, {name} case",
            "".join(_escape(one, form) if one in "<>&'+" else one for one in once).encode(),
        )
    yield "repr", repr(text)[1:-1].encode("utf-8", "surrogatepass")
    yield "repr twice", repr(repr(text))[2:-2].encode("utf-8", "surrogatepass")
    yield "HTML", html.escape(text).encode("utf-8", "surrogatepass")


def _escape(character: str, form: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2], 'big'):{form}}" for at in range(0, len(units), 2))


def _lower_percent(text: str) -> str:
    first, *rest = text.split("%")
    return first + "".join(f"%{part[:2].lower()}{part[2:]}" for part in rest)
