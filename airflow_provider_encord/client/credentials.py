"""What a connection proves itself with: an SSH key, which signs every request, or an API key, which is sent as it is.

The two versions sign different things: v1 signs the SHA-256 of the body and nothing else: no time, no path. v2 signs
method, target, digest and time as an HTTP message signature (vectors ``auth-v1-*`` and ``auth-v2-*``), so a v2
signature expires, and each attempt makes a new one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from typing import Any, ClassVar, NoReturn, Self, TypeAlias
from uuid import UUID

from airflow_provider_encord.client.errors import CredentialError, UnsupportedByCredentialError
from airflow_provider_encord.client.key_file import KeyFileError, read_key_file
from airflow_provider_encord.client.key_refusals import KeyTextError, Refusal
from airflow_provider_encord.client.pem import read_key_block
from airflow_provider_encord.client.placeholders import WHAT_IT_IS, is_placeholder
from airflow_provider_encord.client.private_key import Ed25519Key, load_ed25519, private_text, public_bytes

_SIGNATURE_LABEL = "encord-sig"
_COVERED = '("@method" "@request-target" "content-digest")'
_WITH_SCHEME = re.compile(r"[\"']?\s*(authorization\s*[:=]|(bearer|basic|token|apikey|api-key)[\s:=])", re.IGNORECASE)
_HEADER_SAFE = re.compile(r"[!-~]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
# Refusals of key text that leave open that an API key is one. All others mean that it is an SSH key, or a part of one.
_NOT_SSH = (Refusal.UNRECOGNISED, Refusal.PATH, Refusal.FINGERPRINT)


class Unpickled:
    """Never pickled, copied by reference: what holds a secret does not travel."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a secret and is not pickled: pickle the id of the connection.")

    def __getstate__(self) -> NoReturn:
        # what Python would give lists the slots with their values
        self.__reduce_ex__(None)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class _Secret(Unpickled):
    """Immutable, never pickled, copied by reference."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed: make a new one.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed: make a new one.")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


class SshKey(_Secret):
    """An Ed25519 key of a user or service account. Made by :meth:`parse` or :meth:`from_path`.

    Two are equal if their public halves are.
    """

    __slots__ = ("_key", "public_key_hex")

    kind: ClassVar[str] = "ssh_key"
    public_key_hex: str
    """The public half, 64 hexadecimal digits: how Encord names the key in every request."""
    _key: Ed25519Key

    def __init__(self, key: Ed25519Key):
        self._set("_key", key)
        self._set("public_key_hex", public_bytes(key).hex())

    @classmethod
    def parse(cls, text: str, passphrase: str | None = None, *, field: str = "private_key") -> Self:
        """Read a key from the text of its file.

        :param text: OpenSSH format or PKCS#8 PEM, also with line ends lost or escaped, quoted, or as base64 of it.
        :param passphrase: Opens an encrypted key; empty or None is none. Ignored if the key is not encrypted.
        :param field: Name of the connection field, for messages.
        :raises CredentialError: The key cannot be used. The message names field, reason and fix, and quotes nothing.
        """
        key = _load(text, passphrase, f"Connection field {field}")
        # before an exception starts here: some reporters of errors show the local variables of each frame
        del text, passphrase
        if isinstance(key, str):
            raise CredentialError(key) from None
        return cls(key)

    @classmethod
    def from_path(
        cls, path: str | os.PathLike[str], passphrase: str | None = None, *, field: str = "ssh_key_path"
    ) -> Self:
        """Read a key from its file.

        :param path: Path on this machine; ``~`` is the home of the user that runs this process.
        :param passphrase: As in :meth:`parse`.
        :param field: Name of the connection field, for messages.
        :raises CredentialError: The file cannot be read, or its key cannot be used. The message names the path.
        """
        key = _load_file(path, passphrase, field)
        del path, passphrase
        if isinstance(key, str):
            raise CredentialError(key) from None
        return cls(key)

    def openssh_public_key(self) -> str:
        """The public half as ``ssh-ed25519 AAAA...``: what one registers in Encord."""
        name, public = b"ssh-ed25519", bytes.fromhex(self.public_key_hex)
        blob = b"".join(len(part).to_bytes(4, "big") + part for part in (name, public))
        return f"ssh-ed25519 {base64.b64encode(blob).decode()}"

    def openssh_private_key(self) -> str:
        """The key as the text of a file without a passphrase, for the vendor's SDK. It is the secret itself."""
        return private_text(self._key)

    def v1_headers(self, body: bytes, *, resource_type: str | None, resource_id: str | None) -> dict[str, str]:
        """Headers that prove who sends a v1 request, and name what it is about.

        :param body: The bytes that are sent, exactly.
        :param resource_type: ``project``, ``dataset`` or ``ontology``; None at user scope.
        :param resource_id: UUID of that resource; None at user scope.
        """
        signature = self._key.sign(hashlib.sha256(body).digest())
        return {
            "Authorization": f"{self.public_key_hex}:{signature.hex()}",
            "ResourceType": resource_type or "",
            "ResourceID": resource_id or "",
        }

    def v2_headers(self, *, method: str, target: str, body: bytes, created: int) -> dict[str, str]:
        """Headers that prove who sends a v2 request.

        :param method: HTTP method.
        :param target: Path and query, byte for byte as they are sent: percent-encoded, and not touched afterwards.
        :param body: The bytes that are sent; empty if there is no body.
        :param created: Now, in whole seconds since 1970.
        """
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        parameters = f'{_COVERED};created={created};keyid="{self.public_key_hex}";alg="ed25519"'
        signed = (
            f'"@method": {method.upper()}\n'
            f'"@request-target": {target}\n'
            f'"content-digest": {digest}\n'
            f'"@signature-params": {parameters}'
        )
        signature = base64.b64encode(self._key.sign(signed.encode())).decode()
        return {
            "Content-Digest": digest,
            "Signature-Input": f"{_SIGNATURE_LABEL}={parameters}",
            "Signature": f"{_SIGNATURE_LABEL}=:{signature}:",
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SshKey) and other.public_key_hex == self.public_key_hex

    def __hash__(self) -> int:
        return hash(self.public_key_hex)

    def __repr__(self) -> str:
        return f"SshKey(public_key_hex={self.public_key_hex!r})"


class ApiKey(_Secret):
    """A legacy API key, which is bound to one project or dataset, and works on v1 only.

    :param key: As Encord showed it. Blanks and line ends around it are dropped.
    :param resource_id: UUID of the project or dataset that it belongs to.
    :raises CredentialError: One of the two cannot be right. The message names the field and quotes nothing.
    """

    __slots__ = ("_secret", "resource_id")

    kind: ClassVar[str] = "api_key"
    resource_id: str
    """UUID in lower case."""
    _secret: str

    def __init__(self, key: str, resource_id: str):
        problem = _problem_of_api_key(key) or _problem_of_resource_id(resource_id)
        if problem:
            del key, resource_id
            raise CredentialError(f"Connection field {problem}") from None
        self._set("_secret", key.strip())
        self._set("resource_id", str(UUID(resource_id.strip())))

    def v1_headers(self, body: bytes, *, resource_type: str | None, resource_id: str | None) -> dict[str, str]:  # noqa: ARG002
        """Headers that prove who sends a v1 request. Takes what an SSH key takes.

        :param body: Not covered: an API key signs nothing.
        :param resource_type: Not sent: Encord knows it from the key.
        :param resource_id: None, or the project or dataset of this key.
        :raises UnsupportedByCredentialError: The request is about another resource.
        """
        if resource_id is not None and resource_id.lower() != self.resource_id:
            raise UnsupportedByCredentialError(
                f"The API key of this connection belongs to {self.resource_id} and cannot be used for {resource_id}. "
                "Use a connection with an SSH key, or with an API key of that project or dataset."
            )
        return {"Authorization": self._secret, "ResourceID": self.resource_id}

    def v2_headers(self, *, method: str, target: str, body: bytes, created: int) -> dict[str, str]:  # noqa: ARG002
        """Refuse: Encord's v2 API takes no API keys.

        :raises UnsupportedByCredentialError: Always.
        """
        raise UnsupportedByCredentialError(
            f"{method.upper()} {target.partition('?')[0]} belongs to Encord's v2 API, which takes no API keys. "
            "Use a connection with an SSH key."
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApiKey):
            return False
        return self.resource_id == other.resource_id and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.resource_id)

    def __repr__(self) -> str:
        # a reporter of errors may show one whose making was refused, which has no resource
        return f"ApiKey(resource_id={getattr(self, 'resource_id', None)!r})"


Credential: TypeAlias = SshKey | ApiKey


def _load(text: object, passphrase: object, place: str) -> Ed25519Key | str:
    """The key, or the message why it cannot be read.

    A value, as an exception that is raised from here would carry the frames and the context of the loading.
    """
    try:
        return load_ed25519(text, passphrase)
    except KeyTextError as error:
        return f"{place}: {error.refusal}"


def _load_file(path: str | os.PathLike[str], passphrase: object, field: str) -> Ed25519Key | str:
    try:
        text = read_key_file(path)
    except KeyFileError as error:
        return f"Connection field {field}: {error.sentence}"
    return _load(text, passphrase, f"The file of {field} ({os.fspath(path).strip()})")


def _problem_of_api_key(key: object) -> str | None:
    if not isinstance(key, str) or not key.strip():
        return "api_key: the API key is empty, or it is not text. Enter the key as Encord showed it."
    key = key.strip()
    if is_placeholder(key):
        return f"api_key: {WHAT_IT_IS}"
    as_ssh_key = _refusal_as_ssh_key(key)
    if as_ssh_key is Refusal.PUBLIC_KEY:
        return "api_key: this is the public half of an SSH key. Put the private half into private_key."
    if as_ssh_key is Refusal.GOOGLE_ACCOUNT:
        return f"api_key: {as_ssh_key}"
    if as_ssh_key not in _NOT_SSH:
        return "api_key: this is an SSH key. Put it into private_key and leave api_key empty."
    if _WITH_SCHEME.match(key):
        return "api_key: it begins with a word of an Authorization header, such as Bearer. Enter the key alone."
    if not _HEADER_SAFE.fullmatch(key):
        return (
            "api_key: there are blanks, line ends or characters outside ASCII in the API key, which no key has. "
            "Enter the key as Encord showed it."
        )
    if key[0] in "\"'" or key[-1] in "\"'":
        return "api_key: there are quotation marks around the API key. Remove them."
    return None


def _refusal_as_ssh_key(text: str) -> Refusal | None:
    try:
        read_key_block(text)
    except KeyTextError as error:
        return error.refusal
    return None


def _problem_of_resource_id(resource_id: object) -> str | None:
    if not isinstance(resource_id, str) or not _UUID.fullmatch(resource_id.strip()):
        return (
            "resource_id: this is not a UUID. Enter the id of the project or dataset that the API key belongs to, "
            "such as 00000000-0000-4000-8000-000000000000; the address of its page in Encord's web app holds it."
        )
    return None
