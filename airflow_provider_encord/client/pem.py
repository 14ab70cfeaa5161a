"""The text of a private key as people paste it, repaired: from any mangling to one block of bytes.

Boxes of one line turn line ends into blanks, environment variables and JSON turn them into backslash-n, secret stores
hold base64 of the file. Line ends are never trusted; a block is what stands between BEGIN and END, whatever
is around it, and all that is not base64 alphabet is either known debris of quoting or a reason to refuse.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote

from airflow_provider_encord.client.key_refusals import KeyTextError, Refusal
from airflow_provider_encord.client.placeholders import is_placeholder

OPENSSH = "OPENSSH PRIVATE KEY"
PKCS8 = "PRIVATE KEY"
OPENSSH_MAGIC = b"openssh-key-v1\0"

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
_UNICODE_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})")
LINE_END_ESCAPE = re.compile(r"\\+[rnt]")
# Line ends, indentation, and what quoting in JSON, YAML or Python leaves behind. A backslash before a letter is none:
# it escapes something that was not undone, and dropping it would leave a letter too many in the key.
_DEBRIS = re.compile(r"[\s\"'`,]|\\(?![A-Za-z0-9])")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")
# One dash decides: text processors make a dash of three, and people miss the first one when they select text.
_BEGIN = re.compile(r"-\s*BEGIN(?=[\sA-Z0-9])\s*([A-Z0-9\s]{0,60}?)\s*-")
_END = re.compile(r"-\s*END(?=[\sA-Z0-9])\s*([A-Z0-9\s]{0,60}?)\s*(?:-|$)")
_PUBLIC_LINE = re.compile(r"(?:^|[\s\"'])(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+\s+AAAA")
_CERTIFICATE_LINE = re.compile(r"-cert-v01@openssh\.com\s+AAAA")
_FINGERPRINT = re.compile(r"(?:0x)?[0-9a-f]{64}|(?:MD5:)?(?:[0-9a-f]{2}:){15,}[0-9a-f]{2}|(?:\d+ )?SHA256:\S+.*", re.I)
_PATH = re.compile(r"(?:[/~$%]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|\\\\|file:).*|\S*id_[a-z0-9_]+|\S+\.(?:pem|key|pub|ppk|txt)")
_GOOGLE_ACCOUNT = re.compile(r"\"type\"\s*:\s*\"service_account\"")
_LEGACY_HEADER = re.compile(r"Proc-Type|DEK-Info")

# Labels without blanks, as blanks get lost like line ends do.
_LABELS = {
    "OPENSSHPRIVATEKEY": OPENSSH,
    "PRIVATEKEY": PKCS8,
    "ENCRYPTEDPRIVATEKEY": PKCS8,
    "RSAPRIVATEKEY": Refusal.RSA,
    "ECPRIVATEKEY": Refusal.ECDSA,
    "DSAPRIVATEKEY": Refusal.DSA,
    "SSH2ENCRYPTEDPRIVATEKEY": Refusal.SSH_COM,
    "PGPPRIVATEKEYBLOCK": Refusal.PGP,
}
_LAYERS = 4  # escapes and base64 around each other; two are common, a secret store in front of another one


class KeyBlock:
    """What stands between BEGIN and END, decoded.

    :param label: :data:`OPENSSH` or :data:`PKCS8`; the latter encrypted or not.
    :param body: The decoded bytes. Secret.
    """

    __slots__ = ("body", "label")

    def __init__(self, label: str, body: bytes):
        self.label = label
        self.body = body

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label}>"


def read_key_block(text: str) -> KeyBlock:
    """Find the one private key in a text, however the text was mangled.

    :param text: As stored: the file itself, with damaged line ends, quoted, escaped, or base64 of any of these.
    :raises KeyTextError: The text has no whole key of a kind that Encord accepts.
    """
    _refuse_blank_and_masked(text)
    layer = text
    for _ in range(_LAYERS):
        cleaned = undo_escapes(layer)
        if "PuTTY-User-Key-File" in cleaned:
            raise KeyTextError(Refusal.PUTTY)
        if _GOOGLE_ACCOUNT.search(cleaned):
            raise KeyTextError(Refusal.GOOGLE_ACCOUNT)
        block = _between_begin_and_end(cleaned)
        if block is not None:
            return block
        if _is_known_other_thing(cleaned):
            break
        inner = _decode(cleaned, url_safe=True)
        bare = inner and _block_without_begin_and_end(inner)
        if bare:
            return bare
        unpacked = inner and text_of(inner)
        if not unpacked:
            break
        layer = unpacked
    raise KeyTextError(_what_it_looks_like(layer) or _what_it_looks_like(text) or Refusal.UNRECOGNISED)


def text_of(data: bytes) -> str | None:
    """Text of a file or of decoded base64, or None if it is binary. UTF-8, or UTF-16 as PowerShell writes it."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except ValueError:
        return _utf16_without_mark(data)
    return _utf16_without_mark(data) if "\0" in text else text


def _utf16_without_mark(data: bytes) -> str | None:
    # PowerShell's [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes(...)) leaves no byte order mark
    odd, even = data[1::2], data[::2]
    if not even or odd.strip(b"\0") or b"\0" in even or not even.isascii():
        return None
    return even.decode("ascii")


def _refuse_blank_and_masked(text: str) -> None:
    bare = _DEBRIS.sub("", text.translate(_INVISIBLE))
    if not bare:
        raise KeyTextError(Refusal.EMPTY)
    if is_placeholder(bare):
        raise KeyTextError(Refusal.MASKED)


def undo_escapes(text: str) -> str:
    """Decode line ends, dashes and base64 characters that JSON, shells, URIs and text processors encoded."""
    for _ in range(_LAYERS):
        # a URI can hold JSON and JSON a URI: whatever was written last is undone first
        plain = unquote(text) if "%" in text else text
        plain = _UNICODE_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), plain)
        plain = LINE_END_ESCAPE.sub("\n", plain).translate(_INVISIBLE).translate(_DASHES)
        if plain == text:
            break
        text = plain
    return text


def _between_begin_and_end(text: str) -> KeyBlock | None:
    begins = list(_BEGIN.finditer(text))
    if not begins:
        if _END.search(text):
            raise KeyTextError(Refusal.NO_BEGIN)
        return None
    private = [begin for begin in begins if "PRIVATE" in begin[1]]
    if len(private) > 1:
        raise KeyTextError(Refusal.SEVERAL)
    begin = private[0] if private else begins[0]
    label = _label(begin[1])
    end = _END.search(text, begin.end() - 1)
    if end is None:
        raise KeyTextError(Refusal.NO_END)
    if _squeezed(end[1]) != _squeezed(begin[1]):
        raise KeyTextError(Refusal.MIXED)
    body = text[begin.end() : end.start()]
    if _LEGACY_HEADER.search(body):
        raise KeyTextError(Refusal.LEGACY_ENCRYPTION)
    return KeyBlock(label, _decoded_body(body.strip("-")))


def _label(words: str) -> str:
    """The label of a block that can hold an Ed25519 key; the label of any other names the refusal."""
    name = _squeezed(words)
    if "CERTIFICATE" in name:
        raise KeyTextError(Refusal.CERTIFICATE)
    if "PUBLIC" in name:
        raise KeyTextError(Refusal.PUBLIC_KEY)
    label = _LABELS.get(name, Refusal.UNKNOWN_BLOCK)
    if isinstance(label, Refusal):
        raise KeyTextError(label)
    return label


def _squeezed(words: str) -> str:
    return "".join(words.split())


def _decoded_body(body: str) -> bytes:
    compact = _DEBRIS.sub("", body).rstrip("=")
    if not _BASE64.fullmatch(compact):
        raise KeyTextError(Refusal.FOREIGN_CHARACTERS)
    decoded = _decode(compact)
    if not decoded:
        raise KeyTextError(Refusal.CUT_OFF)
    return decoded


def _decode(text: str, *, url_safe: bool = False) -> bytes | None:
    """Bytes of base64 text without regard to line ends, quotes and padding; None if it is not base64."""
    compact = _DEBRIS.sub("", text).rstrip("=")
    if url_safe:
        compact = compact.replace("-", "+").replace("_", "/")
    if not _BASE64.fullmatch(compact) or len(compact) % 4 == 1:
        return None
    return base64.b64decode(compact + "=" * (-len(compact) % 4))


def _block_without_begin_and_end(body: bytes) -> KeyBlock | None:
    """The block, if the lines between BEGIN and END were pasted without these two: both formats describe themselves."""
    if body.startswith(OPENSSH_MAGIC):
        return KeyBlock(OPENSSH, body)
    return KeyBlock(PKCS8, body) if len(body) > 40 and is_whole_der(body) else None


def is_whole_der(body: bytes) -> bool:
    """Whether the bytes are one DER sequence that ends where its length says: not cut off, nothing behind it."""
    if len(body) < 2 or body[0] != 0x30:
        return False
    octets = body[1] & 0x7F if body[1] & 0x80 else 0
    length = int.from_bytes(body[2 : 2 + octets], "big") if octets else body[1]
    return len(body) == 2 + octets + length


def _is_known_other_thing(text: str) -> bool:
    """Whether the text is something that could pass for base64, or holds some."""
    bare = text.strip().strip("\"'`")
    return bool(_PUBLIC_LINE.search(text) or _FINGERPRINT.fullmatch(bare))


def _what_it_looks_like(text: str) -> Refusal | None:
    bare = text.strip().strip("\"'`").strip()
    if _CERTIFICATE_LINE.search(text):
        return Refusal.CERTIFICATE
    if _PUBLIC_LINE.search(text):
        return Refusal.PUBLIC_KEY
    if _FINGERPRINT.fullmatch(bare):
        return Refusal.FINGERPRINT
    return Refusal.PATH if _PATH.fullmatch(bare) else None
