"""A certificate authority for tests, and a server with a certificate from it."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.client.scripted_server import ScriptedServer, answer

_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """An authority and the certificate of one server, in files.

    `bundle` is what clients trust, `chain` what the server proves itself with.

    :param days: How long the server's certificate is valid; negative: it has expired.
    """

    def __init__(self, folder: Path, name: str, *, days: int = 1, address: str = "127.0.0.1"):
        self.bundle = folder / f"{name}.pem"
        self.chain = folder / f"{name}-server.pem"
        key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        root = self._builder(subject, subject, key.public_key(), days=1)
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        # From Python 3.13 on, certificates must have what RFC 5280 demands of them.
        root = root.add_extension(_SIGNS_CERTIFICATES, critical=True)
        root = root.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        own = self._builder(x509.Name([]), subject, server_key.public_key(), days=days)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        own = own.add_extension(names, critical=True)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        own = own.add_extension(issuer, critical=False)
        self.bundle.write_bytes(root.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
        self.chain.write_bytes(
            server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + own.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
        )

    @staticmethod
    def _builder(
        subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, days: int
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2))
            .not_valid_after(now + datetime.timedelta(days=days))
        )

    def server(self) -> ScriptedServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        return ScriptedServer(tls=context).always(answer(json={}))
