"""The search finds what is planted: each secret, however it is written, in each kind of place; and nothing else."""

from __future__ import annotations

import base64
import functools
import gzip
import html
import json
import os
import pickle
import sqlite3
import textwrap
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.client import keys
from tests.leaks.forms import Secret, encodings, key_pieces, private_key, signed_url, text_secret
from tests.leaks.search import KNOWN, RUN, Search

PASSPHRASE = 'open "sesame", 100% p\u2713ease'
API_KEY = "q7-Hk29_fzXw4LmB0sVtR8yNcE3uJdPaGi6oYh1K"
URL = "https://storage.example.com/bucket/key?X-Goog-Expires=3600&X-Goog-Signature=8d3c8a1f5b7e9d2c4a6b"
KEY = keys.new_key()
PLAIN, LOCKED, OTHER_FILE = keys.openssh(KEY), keys.openssh(KEY, PASSPHRASE), keys.pkcs8(KEY)
CONNECTION = json.dumps({"conn_type": "encord", "extra": {"private_key": LOCKED, "private_key_passphrase": PASSPHRASE}})

SECRETS: dict[str, tuple[str, list[Secret]]] = {
    "key": (PLAIN, private_key("key", PLAIN)),
    "locked key": (LOCKED, private_key("locked key", LOCKED, PASSPHRASE)),
    "PKCS#8": (OTHER_FILE, private_key("PKCS#8", OTHER_FILE)),
    "passphrase": (PASSPHRASE, [text_secret("passphrase", PASSPHRASE)]),
    "API key": (API_KEY, [text_secret("API key", API_KEY)]),
    "signed URL": (URL, [signed_url("signed URL", URL)]),
}
EVERYTHING = [one for _, secrets in SECRETS.values() for one in secrets]


# However it is written


def wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap("".join(text.splitlines()), width))


WAYS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "with CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "with blanks for line ends": lambda text: text.replace("\n", " ").encode(),
    "24 bytes of it, behind the public half": lambda text: text.encode()[len(text) * 3 // 4 - RUN :][: 2 * RUN],
    "JSON": lambda text: json.dumps({"it": text}).encode(),
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)).encode(),
    "JSON in JSON in JSON": lambda text: json.dumps(json.dumps(json.dumps([text]))).encode(),
    "JSON of PHP": lambda text: json.dumps(text).replace("/", "\\/").encode(),
    "JSON for HTML": lambda text: json.dumps(text).replace("&", "\\u0026").replace("'", "\\u0027").encode(),
    "JSON of .NET": lambda text: json.dumps(text).replace("+", "\\u002B").replace('\\"', "\\u0022").encode(),
    "repr": lambda text: repr([text]).encode(),
    "repr in repr": lambda text: repr(repr([text])).encode(),
    "repr of bytes": lambda text: repr(text.encode()).encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).rstrip(b"="),
    "base64 after one byte": lambda text: base64.b64encode(b"u" + text.encode()),
    "base64 after two bytes": lambda text: base64.b64encode(b"u:" + text.encode()),
    "base64 in lines": lambda text: base64.encodebytes(text.encode()),
    "URL-safe base64": lambda text: base64.urlsafe_b64encode(text.encode()),
    "URL-safe base64 after one byte": lambda text: base64.urlsafe_b64encode(b"u" + text.encode()),
    "base64 of JSON": lambda text: base64.b64encode(json.dumps({"extra": text}).encode()),
    "a connection's URI": lambda text: f"encord://?{urlencode({'__extra__': json.dumps({'it': text})})}".encode(),
    "URL-quoted": lambda text: quote(text).encode(),
    "URL-quoted with slashes": lambda text: quote(text, safe="").encode(),
    "URL-quoted with plus": lambda text: quote_plus(text).encode(),
    "URL-quoted in lower case": lambda text: quote_plus(text).replace("%2F", "%2f").replace("%2B", "%2b").encode(),
    "as a form": lambda text: urlencode({"private_key": text}).encode(),
    "URL-quoted twice": lambda text: quote(quote(text, safe=""), safe="").encode(),
    "HTML": lambda text: html.escape(text).encode(),
    "pickle": pickle.dumps,
    "zlib": lambda text: zlib.compress(text.encode()),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip of zlib": lambda text: gzip.compress(zlib.compress(json.dumps(text).encode())),
}
OF_KEYS: dict[str, Callable[[str], bytes]] = {
    **{f"line {number}": lambda text, number=number: key_pieces(text)[number] for number in range(2)},  # type: ignore[misc]
    "last line": lambda text: key_pieces(text)[-3],
    "wrapped at 40": lambda text: wrapped(text, 40).encode(),
    "wrapped at 64": lambda text: wrapped(text, 64).encode(),
    "its bytes": keys.body_of,
    "its bytes in hex": lambda text: keys.body_of(text).hex().encode(),
    "its bytes, shown": lambda text: repr(keys.body_of(text)).encode(),
    "the seed": lambda text: keys.seed(KEY),
    "the seed in hex": lambda text: keys.seed(KEY).hex().encode(),
    "the seed in base64": lambda text: base64.b64encode(keys.seed(KEY)),
    "the seed, shown": lambda text: repr(keys.seed(KEY)).encode(),
    "the seed, URL-quoted": lambda text: quote(keys.seed(KEY)).encode(),
}


def hidden(content: bytes, after: int = 0) -> bytes:
    """Among innocent lines."""
    return (
        content if content[:1] == b"\x78" or content[:2] == b"\x1f\x8b" else b"before\n" * after + content + b"\nafter"
    )


@functools.cache
def search_for(name: str) -> Search:
    return Search(SECRETS[name][1])


@functools.cache
def search_for_one(number: int) -> Search:
    return Search([EVERYTHING[number]])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_however_it_is_written(name: str, way: str) -> None:
    assert search_for(name).in_bytes("there", hidden(WAYS[way](SECRETS[name][0])))


@pytest.mark.parametrize("way", OF_KEYS)
@pytest.mark.parametrize("name", ["key", "locked key", "PKCS#8"])
def test_a_part_of_a_key_is_found(name: str, way: str) -> None:
    assert search_for(name).in_bytes("there", b"before" + OF_KEYS[way](SECRETS[name][0]) + b"after")


@given(st.integers(0, len(EVERYTHING) - 1), st.binary(max_size=40), st.binary(max_size=40), st.data())
def test_twelve_bytes_in_a_row_of_any_form_are_found(
    number: int, before: bytes, after: bytes, data: st.DataObject
) -> None:
    secret = EVERYTHING[number]
    piece = data.draw(st.sampled_from([one for one in secret.pieces if len(one) > RUN]))
    form = data.draw(st.sampled_from(sorted(encodings(piece).values())))
    at = data.draw(st.integers(0, len(form) - RUN))
    part = form[at : at + RUN]
    public = any(
        end in known
        for end in (part[:KNOWN], part[-KNOWN:])
        for one in secret.public
        for known in encodings(one).values()
    )
    if not public and len(set(part)) > 2:
        assert search_for_one(number).in_bytes("there", before + part + after)


# Wherever it is


FERNET = Fernet.generate_key().decode()


def in_database(folder: Path, value: object, table: str = "task_instance") -> None:
    with closing(sqlite3.connect(folder / "airflow.db")) as database, database:
        database.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, start REAL, note TEXT, content BLOB)")
        database.execute(f"INSERT INTO {table} VALUES (1, 1.5, NULL, 'nothing')")
        database.execute(f"INSERT INTO {table} VALUES (2, NULL, NULL, ?)", [value])


def written(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


KINDS: dict[str, tuple[str, Callable[[Path, str], None]]] = {
    "a log": ("a.log, line 3", lambda home, text: written(home / "a.log", b"\n\n" + text.encode())),
    "a directory": ("a/b/c.json, line 1", lambda home, text: written(home / "a" / "b" / "c.json", text.encode())),
    "a packed log": (
        "a.log.gz (unpacked), line 2",
        lambda home, text: written(home / "a.log.gz", gzip.compress(b"x\n" + text.encode())),
    ),
    "beyond a part": (
        "a.log, line 4194299",
        lambda home, text: written(home / "a.log", b"\n" * ((1 << 22) - 6) + text.encode()),
    ),
    "a text": ("task_instance.content, row 2", lambda home, text: in_database(home, text)),
    "a blob": ("task_instance.content, row 2", lambda home, text: in_database(home, text.encode())),
    "a packed blob": (
        "task_instance.content, row 2 (unpacked)",
        lambda home, text: in_database(home, zlib.compress(text.encode())),
    ),
    "an encrypted text": (
        "trigger.content, row 2 (decrypted)",
        lambda home, text: in_database(home, Fernet(FERNET).encrypt(text.encode()).decode(), "trigger"),
    ),
    "a readable connection": ("connection.content, row 2", lambda home, text: in_database(home, text, "connection")),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_in_every_kind_of_place_and_the_place_is_reported(
    name: str, kind: str, tmp_path: Path
) -> None:
    text, secrets = SECRETS[name]
    place, plant = KINDS[kind]
    plant(tmp_path, text)
    found = Search(secrets, fernet_keys=[FERNET]).in_files(tmp_path)
    assert {one.secret for one in found} >= {
        secret.name for secret in secrets if secret.name.startswith(("line 1", name))
    }
    assert any(place in one.place for one in found) or name in ("key", "locked key", "PKCS#8"), found
    if name in ("key", "locked key", "PKCS#8"):
        assert any(place.partition(", line")[0] in one.place for one in found), found


def test_a_deleted_row_is_found_in_the_file(tmp_path: Path) -> None:
    in_database(tmp_path, API_KEY)
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as database, database:
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("DELETE FROM task_instance WHERE id = 2")
    (found,) = Search(SECRETS["API key"][1]).in_files(tmp_path)
    assert found.place.startswith(str(tmp_path / "airflow.db") + ", line")


def test_what_is_encrypted_in_a_connection_is_in_its_place(tmp_path: Path) -> None:
    in_database(tmp_path, Fernet(FERNET).encrypt(CONNECTION.encode()).decode(), "connection")
    search = Search(EVERYTHING, fernet_keys=[FERNET])
    assert search.in_files(tmp_path) == []
    assert search.in_database(tmp_path / "airflow.db", sealed=())


def test_a_place_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Nothing to look through"):
        Search(EVERYTHING).in_files(tmp_path / "airlfow")


# And nothing else


def test_what_everybody_may_know_is_not_found() -> None:
    stranger = keys.new_key()
    innocent = [
        keys.public_line(KEY),
        keys.public_hex(KEY),
        keys.public_pem(KEY),
        URL.partition("?")[0],
        keys.seed(stranger).hex(),
        "-----BEGIN OPENSSH PRIVATE KEY-----\n***\n-----END OPENSSH PRIVATE KEY-----",
        os.urandom(1 << 16).hex(),
        "\0" * 1000 + "A" * 1000 + "0" * 1000 + "\\u0000" * 100,
    ]
    assert Search(EVERYTHING).in_texts({text[:8]: text.encode() for text in innocent}) == []


def test_what_all_keys_have_in_common_is_found_unless_it_is_declared_public() -> None:
    other = keys.openssh(keys.new_key())
    assert Search(SECRETS["key"][1]).in_bytes("there", other.encode())
    assert Search(SECRETS["key"][1], innocent=key_pieces(other)).in_bytes("there", other.encode()) == []


def test_too_short_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 8 bytes"):
        text_secret("a passphrase", "sesame")


def test_a_report_says_nothing_of_the_secret() -> None:
    everything = b"\n".join(
        form for secret in EVERYTHING for piece in secret.pieces for form in encodings(piece).values()
    )
    search = Search(EVERYTHING)
    found = search.in_bytes("there", everything)
    assert len(found) > len(EVERYTHING)
    assert search.in_bytes("the report", f"{found} {EVERYTHING} {search}".encode()) == []


def test_the_public_half_of_a_key_is_innocent_between_quotes_that_the_private_half_ends_with() -> None:
    for quote_mark in (b"'", b'"'):
        key = Ed25519PrivateKey.from_private_bytes(os.urandom(31) + quote_mark)
        secrets = private_key("key", keys.openssh(key))
        public = key.public_key().public_bytes_raw()
        text = quote_mark + repr(public)[2:-1].encode() + quote_mark + b"0" * 20 + quote_mark + public
        assert Search(secrets).in_bytes("there", text) == []
        assert Search(secrets).in_bytes("there", key.private_bytes_raw())


def test_the_search_says_how_much_it_looked_through(tmp_path: Path) -> None:
    written(tmp_path / "log", b"0123456789")
    written(tmp_path / "log.gz", packed := gzip.compress(b"0123456789"))
    search = Search(EVERYTHING)
    search.in_files(tmp_path)
    assert (search.searched.values, search.searched.size) == (3, 10 + len(packed) + 10)
