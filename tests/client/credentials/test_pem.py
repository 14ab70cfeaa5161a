"""Text of keys, mangled on its way, comes back as the bytes that were in the file."""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.key_refusals import KeyTextError, Refusal
from airflow_provider_encord.client.pem import is_whole_der, read_key_block
from tests.client import keys

Mangling = Callable[[str], str]


def base64_of(text: str, encoding: str = "utf-8") -> str:
    return base64.b64encode(text.encode(encoding)).decode()


def is_armored(text: str) -> bool:
    return text.startswith("-----BEGIN")


MANGLINGS: dict[str, Mangling] = {
    "as it is": lambda text: text,
    "no final newline": str.strip,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CR alone": lambda text: text.replace("\n", "\r"),
    "literal backslash-n": lambda text: text.replace("\n", "\\n"),
    "literal backslash-r-backslash-n": lambda text: text.replace("\n", "\\r\\n"),
    "literal backslash-n, escaped twice": lambda text: text.replace("\n", "\\\\n"),
    "literal backslash-n, escaped three times": lambda text: text.replace("\n", "\\\\\\\\n"),
    "newlines turned into blanks": lambda text: text.replace("\n", " "),
    "newlines turned into blanks, last one dropped": lambda text: text.replace("\n", " ").strip(),
    "newlines turned into tabs": lambda text: text.replace("\n", "\t"),
    "newlines lost": lambda text: text.replace("\n", ""),
    "all white space lost": lambda text: "".join(text.split()),
    "indented": lambda text: textwrap.indent(text, "    "),
    "indented with tabs": lambda text: textwrap.indent(text, "\t\t"),
    "only the first line not indented": lambda text: text.replace("\n", "\n  "),
    "blank lines before and after": lambda text: f"\n\n  \n{text}\n\n",
    "a blank line between all lines": lambda text: text.replace("\n", "\n\n"),
    "blanks at the ends of lines": lambda text: text.replace("\n", "   \n"),
    "no-break spaces": lambda text: text.replace("\n", "\u00a0"),
    "double quotes": lambda text: f'"{text}"',
    "single quotes": lambda text: f"'{text}'",
    "backticks": lambda text: f"```\n{text}```",
    "JSON string": json.dumps,
    "JSON string within JSON string": lambda text: json.dumps(json.dumps(text)),
    "JSON string with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON string with escaped plus and equals sign": lambda text: (
        json.dumps(text).replace("+", "\\u002B").replace("=", "\\u003d")
    ),
    "JSON object": lambda text: json.dumps({"private_key": text}),
    "Python list of lines": lambda text: json.dumps(text.splitlines()),
    "Python string, line by line": lambda text: "\n".join(repr(line + "\n") for line in text.splitlines()),
    "shell, continued lines": lambda text: text.replace("\n", "\\\n"),
    "YAML block": lambda text: "private_key: |\n" + textwrap.indent(text, "  "),
    "assignment": lambda text: f'ENCORD_SSH_KEY="{text}"',
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded JSON string": lambda text: quote(json.dumps(text)),
    "JSON string of percent-encoded text": lambda text: json.dumps(quote(text)),
    "percent-encoded twice": lambda text: quote(quote(text)),
    "byte order mark": lambda text: "\ufeff" + text,
    "zero-width spaces": lambda text: text.replace("\n", "\u200b\n"),
    "dashes of a text processor": lambda text: text.replace("-----", "\u2014\u2013-"),
    "one dash missed when selecting": lambda text: text.strip()[1:-1],
    "text before and after": lambda text: f"here is the key:\n{text}\nregards",
    "base64 padding lost": lambda text: text.replace("=", ""),
    "wrapped at 40 columns": lambda text: keys.armor(label_of(text), keys.body_of(text), width=40),
    "without its lines BEGIN and END": lambda text: "\n".join(text.splitlines()[1:-1]),
    "base64 of the file": base64_of,
    "base64 of the file, wrapped at 76": lambda text: base64.encodebytes(text.encode()).decode(),
    "base64 of the file, wrapped, literal backslash-n": lambda text: (
        base64.encodebytes(text.encode()).decode().replace("\n", "\\n")
    ),
    "base64 of the file, url-safe": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 of the file, padding lost": lambda text: base64_of(text).rstrip("="),
    "base64 of the file, quoted": lambda text: f'"{base64_of(text)}"',
    "base64 of base64 of the file": lambda text: base64_of(base64_of(text)),
    "base64 of the file with CRLF": lambda text: base64_of(text.replace("\n", "\r\n")),
    "base64 of the file with literal backslash-n": lambda text: base64_of(text.replace("\n", "\\n")),
    "base64 of the file with a byte order mark": lambda text: base64_of(text, "utf-8-sig"),
    "base64 of the file in UTF-16": lambda text: base64_of(text, "utf-16"),
    "base64 of the file in UTF-16 without a mark": lambda text: base64_of(text, "utf-16-le"),
    "base64 of the file without its last newline": lambda text: base64_of(text.strip()),
}


def label_of(text: str) -> str:
    return text.splitlines()[0].strip("-").removeprefix("BEGIN ")


def body_or_refusal(text: str) -> bytes | Refusal:
    try:
        return read_key_block(text).body
    except KeyTextError as error:
        return error.refusal


KEY = keys.new_key()
FILES = {
    "OpenSSH": keys.openssh(KEY),
    "OpenSSH, encrypted": keys.openssh(KEY, keys.PASSPHRASE),
    "PKCS#8": keys.pkcs8(KEY),
    "PKCS#8, encrypted": keys.pkcs8(KEY, keys.PASSPHRASE),
}


@pytest.mark.parametrize("mangling", MANGLINGS)
@pytest.mark.parametrize("file", FILES)
def test_every_mangling_of_every_file_gives_the_bytes_of_the_file(file: str, mangling: str) -> None:
    text = FILES[file]
    assert read_key_block(MANGLINGS[mangling](text)).body == keys.body_of(text)


@given(
    st.lists(
        st.sampled_from([" ", "\n", "\r\n", "\t", "\\n", "\\r\\n", "\\\\n", "\u00a0", ""]), min_size=12, max_size=12
    )
)
def test_any_mixture_of_line_ends_gives_the_bytes_of_the_file(ends: list[str]) -> None:
    lines = FILES["OpenSSH, encrypted"].splitlines()
    mangled = "".join(line + ends[number % len(ends)] for number, line in enumerate(lines))
    assert read_key_block(mangled).body == keys.body_of(FILES["OpenSSH, encrypted"])


@given(st.lists(st.sampled_from(sorted(set(MANGLINGS) - {"without its lines BEGIN and END"})), max_size=3))
def test_manglings_on_top_of_each_other_never_give_other_bytes(names: list[str]) -> None:
    text = FILES["OpenSSH"]
    for name in names:
        if name != "wrapped at 40 columns" or text == FILES["OpenSSH"]:
            text = MANGLINGS[name](text)
    assert body_or_refusal(text) in {keys.body_of(FILES["OpenSSH"]), *Refusal}


@given(st.text(max_size=300))
def test_no_text_whatever_makes_the_reading_fail_in_another_way(text: str) -> None:
    assert body_or_refusal(text)


@given(st.text(alphabet="-BEGIND \nPRVATKYOS=\\\"'nr%20", max_size=400))
def test_no_scrap_of_armor_makes_the_reading_fail_in_another_way(text: str) -> None:
    assert body_or_refusal(text)


@pytest.mark.parametrize("text", ["-" * 60_000, "-BEGIN " * 9_000, "-----END A" * 6_000, "\\" * 60_000, "A" * 60_000])
@pytest.mark.timeout(5)
def test_long_nonsense_is_refused_at_once(text: str) -> None:
    with pytest.raises(KeyTextError):
        read_key_block(text)


def test_the_private_key_is_found_beside_its_public_half() -> None:
    for text in (
        FILES["OpenSSH"] + keys.public_line(KEY),
        keys.public_pem(KEY) + FILES["OpenSSH"],
        FILES["PKCS#8"] + keys.public_pem(KEY),
    ):
        assert read_key_block(text).body in {keys.body_of(FILES["OpenSSH"]), keys.body_of(FILES["PKCS#8"])}


def test_a_block_does_not_show_its_body() -> None:
    block = read_key_block(FILES["OpenSSH"])
    assert repr(block) == str(block) == "<KeyBlock OPENSSH PRIVATE KEY>"
    assert not hasattr(block, "__dict__")


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (b"", False),
        (b"0", False),
        (b"0\0", True),
        (b"0\1", False),
        (b"0\1a", True),
        (b"0\1ab", False),
        (b"0\x81\x80" + bytes(128), True),
        (b"0\x81\x80" + bytes(127), False),
        (b"0\x82\x01\x00" + bytes(256), True),
        (b"1\0", False),
    ],
)
def test_a_der_sequence_is_whole_when_it_ends_where_its_length_says(body: bytes, whole: bool) -> None:
    assert is_whole_der(body) is whole
