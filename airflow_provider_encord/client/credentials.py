"""The credentials of a connection: an SSH key, which signs each request, or an API key, which is sent with it.

The API versions sign different parts of a request. v1 signs only the SHA-256 of the body, not the time or the path. v2
signs method, target, digest and time as an HTTP message signature, so a v2 signature expires and each attempt makes a
new one (vectors ``auth-v1-*`` and ``auth-v2-*``).
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
# With these refusals as an SSH key, the text can still be an API key. All others mean that it is (part of) an SSH key.
_NOT_SSH = (Refusal.UNRECOGNISED, Refusal.PATH, Refusal.FINGERPRINT)


class Unpickled:
    """Base class of objects that hold a secret: they cannot be pickled, and a copy is the same object."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds a secret and cannot be pickled. Pickle the connection id instead."
        )

    def __getstate__(self) -> NoReturn:
        # Python's default would return the slots with their values
        self.__reduce_ex__(None)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class _Secret(Unpickled):
    """Base class of credentials: immutable, cannot be pickled, and a copy is the same object."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed. Create a new one.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed. Create a new one.")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


class SshKey(_Secret):
    """An Ed25519 key of a user or service account. Create it with :meth:`parse` or :meth:`from_path`.

    Two keys are equal if their public keys are equal.
    """

    __slots__ = ("_key", "public_key_hex")

    kind: ClassVar[str] = "ssh_key"
    public_key_hex: str
    """The public key as 64 hexadecimal digits, which identify the key in each request."""
    _key: Ed25519Key

    def __init__(self, key: Ed25519Key):
        self._set("_key", key)
        self._set("public_key_hex", public_bytes(key).hex())

    @classmethod
    def parse(cls, text: str, passphrase: str | None = None, *, field: str = "private_key") -> Self:
        """Read a key from the text of its file.

        :param text: OpenSSH format or PKCS#8 PEM. Lost or escaped line ends, quotation marks, and base64 encoding of
            the whole text are accepted.
        :param passphrase: Passphrase of an encrypted key; empty or None for no passphrase. Ignored if the key is not
            encrypted.
        :param field: Name of the connection field, for messages.
        :raises CredentialError: The key cannot be used. The message names the field, the reason and the fix, but does
            not quote the key.
        """
        key = _load(text, passphrase, f"Connection field {field}")
        # delete them before an exception is raised here: some error reporters show the local variables of each frame
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
        """The public key as ``ssh-ed25519 AAAA...``, the form to register in Encord."""
        name, public = b"ssh-ed25519", bytes.fromhex(self.public_key_hex)
        blob = b"".join(len(part).to_bytes(4, "big") + part for part in (name, public))
        return f"ssh-ed25519 {base64.b64encode(blob).decode()}"

    def openssh_private_key(self) -> str:
        """The private key in OpenSSH format without a passphrase, for the vendor's SDK. It is a secret."""
        return private_text(self._key)

    def v1_headers(self, body: bytes, *, resource_type: str | None, resource_id: str | None) -> dict[str, str]:
        """The headers that sign a v1 request and name its resource.

        :param body: Exactly the bytes that are sent.
        :param resource_type: ``project``, ``dataset`` or ``ontology``; None at user scope.
        :param resource_id: UUID of the resource; None at user scope.
        """
        signature = self._key.sign(hashlib.sha256(body).digest())
        return {
            "Authorization": f"{self.public_key_hex}:{signature.hex()}",
            "ResourceType": resource_type or "",
            "ResourceID": resource_id or "",
        }

    def v2_headers(self, *, method: str, target: str, body: bytes, created: int) -> dict[str, str]:
        """The headers that sign a v2 request.

        :param method: HTTP method.
        :param target: Path and query exactly as they are sent: percent-encoded, and not changed afterwards.
        :param body: Exactly the bytes that are sent; empty if there is no body.
        :param created: The current time in whole seconds since 1970.
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
    """A legacy API key. It belongs to one project or dataset, and works with v1 of the API only.

    :param key: The key as Encord showed it. Blanks and line ends around it are dropped.
    :param resource_id: UUID of the project or dataset that the key belongs to.
    :raises CredentialError: One of the two is not valid. The message names the field but does not quote its value.
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
        """The headers that authorise a v1 request. Takes the same arguments as `SshKey.v1_headers`.

        :param body: Not used, because an API key does not sign anything.
        :param resource_type: Not sent, because Encord knows it from the key.
        :param resource_id: None, or the id of the key's project or dataset.
        :raises UnsupportedByCredentialError: The request is about another resource.
        """
        if resource_id is not None and resource_id.lower() != self.resource_id:
            raise UnsupportedByCredentialError(
                f"The API key of this connection belongs to {self.resource_id} and cannot be used for {resource_id}. "
                "Use a connection with an SSH key, or with an API key of that project or dataset."
            )
        return {"Authorization": self._secret, "ResourceID": self.resource_id}

    def v2_headers(self, *, method: str, target: str, body: bytes, created: int) -> dict[str, str]:  # noqa: ARG002
        """Raise an error, because Encord's v2 API does not accept API keys.

        :raises UnsupportedByCredentialError: Always.
        """
        raise UnsupportedByCredentialError(
            f"{method.upper()} {target.partition('?')[0]} belongs to Encord's v2 API, which does not accept API keys. "
            "Use a connection with an SSH key."
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApiKey):
            return False
        return self.resource_id == other.resource_id and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.resource_id)

    def __repr__(self) -> str:
        # an error reporter may show an object whose __init__ failed; it has no resource_id
        return f"ApiKey(resource_id={getattr(self, 'resource_id', None)!r})"


Credential: TypeAlias = SshKey | ApiKey


def _load(text: object, passphrase: object, place: str) -> Ed25519Key | str:
    """The key, or the message that says why it cannot be read.

    The message is returned, because an exception raised here would carry the frames and the context of the loading.
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
        return "api_key: the API key is empty or not text. Enter the key as Encord showed it."
    key = key.strip()
    if is_placeholder(key):
        return f"api_key: {WHAT_IT_IS}"
    as_ssh_key = _refusal_as_ssh_key(key)
    if as_ssh_key is Refusal.PUBLIC_KEY:
        return "api_key: this is the public key of an SSH key pair. Put the private key into private_key."
    if as_ssh_key is Refusal.GOOGLE_ACCOUNT:
        return f"api_key: {as_ssh_key}"
    if as_ssh_key not in _NOT_SSH:
        return "api_key: this is an SSH key. Put it into private_key and leave api_key empty."
    if _WITH_SCHEME.match(key):
        return "api_key: it begins with a word of an Authorization header, such as Bearer. Enter only the key."
    if not _HEADER_SAFE.fullmatch(key):
        return (
            "api_key: the API key contains blanks, line ends or characters outside ASCII, which is never valid. "
            "Enter the key as Encord showed it."
        )
    if key[0] in "\"'" or key[-1] in "\"'":
        return "api_key: it begins or ends with a quotation mark. Remove the quotation marks."
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
            "such as 00000000-0000-4000-8000-000000000000. It is part of the address of its page in Encord's web app."
        )
    return None
