"""Key text that cannot be used is refused, each kind for its own reason, and the message says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_encord.client.credentials import ApiKey, SshKey
from airflow_provider_encord.client.key_refusals import Refusal
from tests.client import keys
from tests.client.credentials.test_pem import MANGLINGS
from tests.client.refusals import message_of, refusal_of

KEY = keys.new_key()
OPENSSH, PKCS8 = keys.openssh(KEY), keys.pkcs8(KEY)
LOCKED_OPENSSH, LOCKED_PKCS8 = keys.openssh(KEY, keys.PASSPHRASE), keys.pkcs8(KEY, keys.PASSPHRASE)

_BODY = "".join(OPENSSH.splitlines()[1:-1])
_LINES = OPENSSH.splitlines()


def damaged(text: str, at: int) -> str:
    """The key with one bit of its body turned over."""
    label = text.splitlines()[0].strip("-").removeprefix("BEGIN ")
    body = bytearray(keys.body_of(text))
    body[at] ^= 1
    return keys.armor(label, bytes(body))


_SEED_AT = keys.body_of(OPENSSH).index(keys.seed(KEY))
_CHECK_AT = keys.body_of(OPENSSH).index(b"ssh-ed25519", 60) - 8

REFUSED: dict[str, tuple[str, str | None, Refusal]] = {
    "empty": ("", None, Refusal.EMPTY),
    "blank": (" \n\t \r\n", None, Refusal.EMPTY),
    "two quotation marks": ('""', None, Refusal.EMPTY),
    "byte order mark alone": ("\ufeff", None, Refusal.EMPTY),
    "literal backslash-n alone": ("\\n", None, Refusal.UNRECOGNISED),
    "Airflow's mask": ("***", None, Refusal.MASKED),
    "Airflow's mask, quoted": ('"***"', None, Refusal.MASKED),
    "RSA, OpenSSH": (keys.openssh(keys.rsa_key()), None, Refusal.RSA),
    "RSA, OpenSSH, encrypted, no passphrase": (keys.openssh(keys.rsa_key(), "p"), None, Refusal.RSA),
    "RSA, OpenSSH, encrypted, wrong passphrase": (keys.openssh(keys.rsa_key(), "p"), "q", Refusal.RSA),
    "RSA, PKCS#8": (keys.pkcs8(keys.rsa_key()), None, Refusal.RSA),
    "RSA, PKCS#8, encrypted": (keys.pkcs8(keys.rsa_key(), "p"), "p", Refusal.RSA),
    "RSA, PKCS#1": (keys.traditional(keys.rsa_key()), None, Refusal.RSA),
    "RSA, PKCS#1, encrypted": (keys.traditional(keys.rsa_key(), "p"), None, Refusal.RSA),
    "RSA, PKCS#1, newlines lost": (keys.traditional(keys.rsa_key()).replace("\n", ""), None, Refusal.RSA),
    "RSA, base64 of the file": (MANGLINGS["base64 of the file"](keys.pkcs8(keys.rsa_key())), None, Refusal.RSA),
    "ECDSA, OpenSSH": (keys.openssh(keys.ecdsa_key()), None, Refusal.ECDSA),
    "ECDSA, OpenSSH, encrypted": (keys.openssh(keys.ecdsa_key(), "p"), None, Refusal.ECDSA),
    "ECDSA, PKCS#8": (keys.pkcs8(keys.ecdsa_key()), None, Refusal.ECDSA),
    "ECDSA, SEC1": (keys.traditional(keys.ecdsa_key()), None, Refusal.ECDSA),
    "ECDSA, SEC1, with parameters in front": (
        keys.armor("EC PARAMETERS", bytes.fromhex("06082a8648ce3d030107")) + keys.traditional(keys.ecdsa_key()),
        None,
        Refusal.ECDSA,
    ),
    "DSA, OpenSSH": (keys.openssh_container(b"ssh-dss"), None, Refusal.DSA),
    "DSA, PKCS#8": (keys.pkcs8(keys.dsa_key()), None, Refusal.DSA),
    "DSA, traditional": (keys.traditional(keys.dsa_key()), None, Refusal.DSA),
    "Ed448, OpenSSH": (keys.openssh_container(b"ssh-ed448"), None, Refusal.ED448),
    "Ed448, PKCS#8": (keys.pkcs8(keys.ed448_key()), None, Refusal.ED448),
    "X25519, PKCS#8": (keys.pkcs8(keys.x25519_key()), None, Refusal.X25519),
    "unknown algorithm, OpenSSH": (keys.openssh_container(b"ssh-xmss@openssh.com"), None, Refusal.OTHER_ALGORITHM),
    "security key, Ed25519": (
        keys.openssh_container(b"sk-ssh-ed25519@openssh.com"),
        None,
        Refusal.SECURITY_KEY,
    ),
    "security key, ECDSA": (
        keys.openssh_container(b"sk-ecdsa-sha2-nistp256@openssh.com"),
        None,
        Refusal.SECURITY_KEY,
    ),
    "Airflow's mask in the form of 2.11": ("RATHER_LONG_SENSITIVE_FIELD_PLACEHOLDER", None, Refusal.MASKED),
    "Google's service account": (keys.google_account(), None, Refusal.GOOGLE_ACCOUNT),
    "Google's service account, base64": (
        MANGLINGS["base64 of the file"](keys.google_account()),
        None,
        Refusal.GOOGLE_ACCOUNT,
    ),
    "PuTTY": (keys.putty(), None, Refusal.PUTTY),
    "PuTTY, newlines turned into blanks": (keys.putty().replace("\n", " "), None, Refusal.PUTTY),
    "PuTTY, base64 of the file": (MANGLINGS["base64 of the file"](keys.putty()), None, Refusal.PUTTY),
    "ssh.com": (
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
        None,
        Refusal.SSH_COM,
    ),
    "PGP": (keys.armor("PGP PRIVATE KEY BLOCK", os.urandom(99)), None, Refusal.PGP),
    "public key, OpenSSH": (keys.public_line(KEY), None, Refusal.PUBLIC_KEY),
    "public key, OpenSSH, with comment": (keys.public_line(KEY) + " me@laptop\n", None, Refusal.PUBLIC_KEY),
    "public key, base64 of the file": (
        MANGLINGS["base64 of the file"](keys.public_line(KEY)),
        None,
        Refusal.PUBLIC_KEY,
    ),
    "public key, RSA": ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ me@laptop", None, Refusal.PUBLIC_KEY),
    "public key, security key": ("sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1l", None, Refusal.PUBLIC_KEY),
    "public key, PEM": (keys.public_pem(KEY), None, Refusal.PUBLIC_KEY),
    "public key, PEM, without BEGIN and END": (keys.public_pem(KEY).splitlines()[1], None, Refusal.PUBLIC_KEY),
    "public key, ssh.com": (
        '---- BEGIN SSH2 PUBLIC KEY ----\nComment: "x"\nAAAAC3Nz\n---- END SSH2 PUBLIC KEY ----',
        None,
        Refusal.PUBLIC_KEY,
    ),
    "certificate, X.509": (keys.armor("CERTIFICATE", os.urandom(300)), None, Refusal.CERTIFICATE),
    "certificate, OpenSSH": ("ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1l me", None, Refusal.CERTIFICATE),
    "path": ("/home/airflow/.ssh/id_ed25519", None, Refusal.PATH),
    "path that could be base64": ("/opt/airflow/keys", None, Refusal.PATH),
    "path in the home": ("~/.ssh/id_ed25519", None, Refusal.PATH),
    "path from here": ("./encord.pem", None, Refusal.PATH),
    "path on Windows": ("C:\\new\\keys\\id_ed25519", None, Refusal.PATH),
    "path, quoted": ('"/home/me/my keys/encord"', None, Refusal.PATH),
    "name of a file": ("id_ed25519", None, Refusal.PATH),
    "URL of a file": ("file:///etc/encord/key", None, Refusal.PATH),
    "variable of the shell": ("$HOME/.ssh/key", None, Refusal.PATH),
    "64 hexadecimal digits": (keys.public_hex(KEY), None, Refusal.FINGERPRINT),
    "64 hexadecimal digits, upper case": (keys.public_hex(KEY).upper(), None, Refusal.FINGERPRINT),
    "fingerprint, SHA-256": ("SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDJDBPbHoAEgNyGv6M", None, Refusal.FINGERPRINT),
    "fingerprint, ssh-keygen -l": (
        "256 SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDJDBPbHoAEgNyGv6M me (ED25519)",
        None,
        Refusal.FINGERPRINT,
    ),
    "fingerprint, MD5": ("MD5:" + ":".join(["ab"] * 16), None, Refusal.FINGERPRINT),
    "API key": ("test-only-api-key-0123456789", None, Refusal.UNRECOGNISED),
    "API key that could be base64": ("Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4MTIzNDU2Nzg", None, Refusal.UNRECOGNISED),
    "UUID": ("aaaaaaaa-0000-4000-8000-000000000001", None, Refusal.UNRECOGNISED),
    "words": ("ask Anna for the key", None, Refusal.UNRECOGNISED),
    "an unknown block": (keys.armor("AGE SECRET KEY PRIVATE THING", os.urandom(40)), None, Refusal.UNKNOWN_BLOCK),
    "two keys": (OPENSSH + keys.openssh(keys.new_key()), None, Refusal.SEVERAL),
    "BEGIN without END": ("\n".join(_LINES[:-1]), None, Refusal.NO_END),
    "BEGIN and half of END": ("\n".join(_LINES[:-1]) + "\n-----E", None, Refusal.NO_END),
    "BEGIN alone": (_LINES[0], None, Refusal.NO_END),
    "END without BEGIN": ("\n".join(_LINES[1:]), None, Refusal.NO_BEGIN),
    "half of BEGIN": (OPENSSH[len("-----BEGIN OPENSSH PRI") :], None, Refusal.NO_BEGIN),
    "BEGIN and END of different keys": (OPENSSH.replace("END OPENSSH", "END"), None, Refusal.MIXED),
    "nothing between BEGIN and END": (_LINES[0] + "\n" + _LINES[-1], None, Refusal.CUT_OFF),
    "one line missing at the end": ("\n".join([*_LINES[:-2], _LINES[-1]]), None, Refusal.CUT_OFF),
    "one character missing": (OPENSSH.replace(_BODY[:30], _BODY[:29], 1), None, Refusal.CUT_OFF),
    "one line missing at the beginning": ("\n".join([_LINES[0], *_LINES[2:]]), None, Refusal.DAMAGED),
    "only the first ten bytes": (keys.armor("OPENSSH PRIVATE KEY", b"openssh-ke"), None, Refusal.CUT_OFF),
    "PKCS#8, body cut off": (keys.armor("PRIVATE KEY", keys.body_of(PKCS8)[:-3]), None, Refusal.CUT_OFF),
    "PKCS#8, encrypted, body cut off": (
        keys.armor("ENCRYPTED PRIVATE KEY", keys.body_of(LOCKED_PKCS8)[:-16]),
        keys.PASSPHRASE,
        Refusal.CUT_OFF,
    ),
    "encrypted, body cut off": (
        keys.armor("OPENSSH PRIVATE KEY", keys.body_of(LOCKED_OPENSSH)[:-16]),
        keys.PASSPHRASE,
        Refusal.CUT_OFF,
    ),
    "a part masked": (OPENSSH.replace(_LINES[2][10:20], "***"), None, Refusal.FOREIGN_CHARACTERS),
    "a part shortened": (OPENSSH.replace(_LINES[2][10:40], "[...]"), None, Refusal.FOREIGN_CHARACTERS),
    "checksum broken": (damaged(OPENSSH, _CHECK_AT), None, Refusal.DAMAGED),
    "seed broken, checksum whole": (damaged(OPENSSH, _SEED_AT + 5), None, Refusal.DAMAGED),
    "public half broken": (damaged(OPENSSH, 70), None, Refusal.DAMAGED),
    "something behind the key": (
        keys.armor("OPENSSH PRIVATE KEY", keys.body_of(OPENSSH) + b"more"),
        None,
        Refusal.DAMAGED,
    ),
    "PKCS#8, structure broken": (damaged(PKCS8, 5), None, Refusal.DAMAGED),
    "encrypted seed broken": (damaged(LOCKED_OPENSSH, -70), keys.PASSPHRASE, Refusal.DAMAGED),
    "legacy encryption": (
        PKCS8.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1),
        keys.PASSPHRASE,
        Refusal.LEGACY_ENCRYPTION,
    ),
    "no passphrase": (LOCKED_OPENSSH, None, Refusal.NO_PASSPHRASE),
    "empty passphrase": (LOCKED_OPENSSH, "", Refusal.NO_PASSPHRASE),
    "PKCS#8, no passphrase": (LOCKED_PKCS8, None, Refusal.NO_PASSPHRASE),
    "wrong passphrase": (LOCKED_OPENSSH, "wrong", Refusal.WRONG_PASSPHRASE),
    "wrong passphrase with a line end": (LOCKED_OPENSSH, "wrong\n", Refusal.WRONG_PASSPHRASE),
    "passphrase that is not Unicode": (LOCKED_OPENSSH, "\ud800", Refusal.WRONG_PASSPHRASE),
    "PKCS#8, wrong passphrase": (LOCKED_PKCS8, "wrong", Refusal.WRONG_PASSPHRASE),
    "PKCS#8, endless passphrase": (LOCKED_PKCS8, "x" * 70_000, Refusal.WRONG_PASSPHRASE),
    "masked passphrase": (LOCKED_OPENSSH, "***", Refusal.MASKED_PASSPHRASE),
    "masked passphrase in the form of 2.11": (
        LOCKED_OPENSSH,
        "RATHER_LONG_SENSITIVE_FIELD_PLACEHOLDER",
        Refusal.MASKED_PASSPHRASE,
    ),
    "too many rounds": (
        keys.openssh_container(b"ssh-ed25519", cipher=b"aes256-ctr", kdf=b"bcrypt", options=keys.bcrypt_options(2**31)),
        "p",
        Refusal.TOO_MANY_ROUNDS,
    ),
    "unknown cipher": (
        keys.openssh_container(
            b"ssh-ed25519", cipher=b"chacha20-poly1305@openssh.com", kdf=b"bcrypt", options=keys.bcrypt_options(1)
        ),
        "p",
        Refusal.UNKNOWN_ENCRYPTION,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_for_its_own_reason(name: str) -> None:
    text, passphrase, refusal = REFUSED[name]
    assert refusal_of(text, passphrase) is refusal


@pytest.mark.parametrize("name", [name for name in REFUSED if name not in {"empty", "blank"}])
def test_the_file_of_ssh_key_path_is_refused_for_the_same_reason(name: str, tmp_path: Path) -> None:
    text, passphrase, refusal = REFUSED[name]
    file = tmp_path / "key"
    file.write_bytes(text.encode())
    message = message_of(lambda: SshKey.from_path(file, passphrase))
    assert message == f"The file of ssh_key_path ({file}): {refusal}"


def test_every_reason_is_reached() -> None:
    reached = {refusal for _, _, refusal in REFUSED.values()}
    elsewhere = {Refusal.BCRYPT_MISSING, Refusal.NOT_TEXT, Refusal.PASSPHRASE_NOT_TEXT}
    assert reached | elsewhere == set(Refusal)


@pytest.mark.parametrize("refusal", Refusal)
def test_a_reason_shows_what_to_do(refusal: Refusal) -> None:
    assert refusal[0].islower()
    assert any(
        remedy in refusal
        for remedy in (
            "Make one",
            "Copy",
            "Put ",
            "put ",
            "Take",
            "Convert",
            "Leave",
            "Fill in",
            "Rewrite",
            "Install",
            "Enter",
            "begins with",
        )
    )


@pytest.mark.parametrize(
    ("refusal", "named"),
    [
        (Refusal.RSA, "RSA"),
        (Refusal.ECDSA, "ECDSA"),
        (Refusal.DSA, "DSA"),
        (Refusal.ED448, "Ed448"),
        (Refusal.SECURITY_KEY, "security key"),
        (Refusal.PUTTY, "puttygen"),
        (Refusal.PATH, "ssh_key_path"),
        (Refusal.NO_PASSPHRASE, "private_key_passphrase"),
        (Refusal.WRONG_PASSPHRASE, "private_key_passphrase"),
        (Refusal.BCRYPT_MISSING, "pip install 'cryptography[ssh]'"),
        (Refusal.UNRECOGNISED, "api_key"),
        (Refusal.LEGACY_ENCRYPTION, "Proc-Type"),
    ],
)
def test_a_reason_names_what_it_is_about(refusal: Refusal, named: str) -> None:
    assert named in refusal


def test_a_message_names_the_field_that_the_text_came_from() -> None:
    assert message_of(lambda: SshKey.parse("", field="ENCORD_SSH_KEY")).startswith("Connection field ENCORD_SSH_KEY: ")
    assert "Connection field key_file: " in message_of(lambda: SshKey.from_path("", field="key_file"))


@pytest.mark.parametrize(("text", "refusal"), [(None, Refusal.EMPTY), (17, Refusal.NOT_TEXT), ([], Refusal.NOT_TEXT)])
def test_a_value_of_json_that_is_no_text_is_refused(text: object, refusal: Refusal) -> None:
    assert refusal_of(text) is refusal  # type: ignore[arg-type]
    assert refusal_of(OPENSSH, 17) is Refusal.PASSPHRASE_NOT_TEXT  # type: ignore[arg-type]


def test_an_encrypted_key_without_bcrypt_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['bcrypt'] = None\n"
        "from airflow_provider_encord.client.credentials import SshKey\n"
        "text = sys.stdin.read()\n"
        "try: SshKey.parse(text, 'p')\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=LOCKED_OPENSSH, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"Connection field private_key: {Refusal.BCRYPT_MISSING}"


_KEY_TEXTS = [
    name
    for name, (_, _, refusal) in REFUSED.items()
    if refusal not in {Refusal.UNRECOGNISED, Refusal.PATH, Refusal.FINGERPRINT}
]


@pytest.mark.parametrize("name", _KEY_TEXTS)
def test_a_bad_ssh_key_does_not_pass_for_an_api_key(name: str) -> None:
    message = message_of(lambda: ApiKey(REFUSED[name][0], "aaaaaaaa-0000-4000-8000-000000000001"))
    assert message.startswith("Connection field api_key: ")
