"""Encord's two SSH signatures, written once more: by hand, from the protocol, without our client.

The emulator and the client were written by different readings of the protocol; this is the third, so that a mistake
which two of them share does not pass unseen.
"""

import base64
import hashlib
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


class Key:
    """A fresh Ed25519 key, in the forms that servers and SDKs want."""

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()
        public = self._private.public_key()
        self.public_hex = public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        self.public_openssh = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def private_openssh(self) -> bytes:
        """The file that `ssh-keygen` would write, without passphrase."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())

    def sign_v1(self, body: bytes) -> dict[str, str]:
        """The header of a request in the v1 envelope: the digest of the body is the message."""
        signature = self._private.sign(hashlib.sha256(body).digest()).hex()
        return {"Authorization": f"{self.public_hex}:{signature}"}

    def sign_v2(self, method: str, target: str, body: bytes, created: int | None = None) -> dict[str, str]:
        """The headers of a v2 request: method, target and digest of the body are covered, in this order."""
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        parameters = (
            '("@method" "@request-target" "content-digest")'
            f';created={int(time.time()) if created is None else created};keyid="{self.public_hex}";alg="ed25519"'
        )
        base = "\n".join(
            (
                f'"@method": {method}',
                f'"@request-target": {target}',
                f'"content-digest": {digest}',
                f'"@signature-params": {parameters}',
            )
        )
        signature = base64.b64encode(self._private.sign(base.encode())).decode()
        return {
            "Content-Digest": digest,
            "Signature-Input": f"encord-sig={parameters}",
            "Signature": f"encord-sig=:{signature}:",
        }
