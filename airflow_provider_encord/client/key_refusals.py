"""Why the text of a key is refused: one sentence for each reason, and what to do about it.

A sentence follows the place where the text came from ("Connection field private_key: ..."). A refusal never
quotes what it refuses, not even the part that looks harmless; half a key is as secret as a whole one.
"""

# ruff: noqa: S105 - these are sentences about passphrases, not passphrases

from __future__ import annotations

from enum import StrEnum

from airflow_provider_encord.client.placeholders import WHAT_IT_IS

_MAKE_ONE = "Make one with `ssh-keygen -t ed25519`, register its .pub half in Encord, and put the other half here."
_NOT_ED25519 = f"and Encord accepts Ed25519 keys only. {_MAKE_ONE}"
_WHOLE_KEY = "Copy the whole file again, from the line with BEGIN to the line with END."


class Refusal(StrEnum):
    """Every reason why the text of a key is not taken."""

    EMPTY = f"the key is empty. {_WHOLE_KEY}"
    NOT_TEXT = "the key must be text. Put it between quotation marks in JSON."
    MASKED = WHAT_IT_IS

    RSA = f"this is an RSA key, {_NOT_ED25519}"
    ECDSA = f"this is an ECDSA key, {_NOT_ED25519}"
    DSA = f"this is a DSA key, {_NOT_ED25519}"
    ED448 = f"this is an Ed448 key, {_NOT_ED25519}"
    X25519 = f"this is an X25519 key, which cannot sign, {_NOT_ED25519}"
    SECURITY_KEY = f"this key lives in a security key (sk-...), which signs only when touched, {_NOT_ED25519}"
    OTHER_ALGORITHM = f"this is not an Ed25519 key, {_NOT_ED25519}"

    PUTTY = (
        "this is PuTTY's format (.ppk). Convert it with `puttygen key.ppk -O private-openssh-new -o key`, or in "
        "PuTTYgen with Conversions > Export OpenSSH key (force new file format), and put the result here."
    )
    SSH_COM = "this is the format of ssh.com. Convert it with `ssh-keygen -i -f FILE > key` and put the result here."
    PGP = f"this is a PGP key, {_NOT_ED25519}"
    PUBLIC_KEY = "this is the public half of a key. Put the private half here: the file of the same name without .pub."
    CERTIFICATE = "this is a certificate, not a key. Put the private key here that belongs to it."
    GOOGLE_ACCOUNT = (
        "this is the JSON key of a Google service account, which Encord does not know. Put the key of a service "
        "account of Encord here, which is an SSH key and begins with -----BEGIN OPENSSH PRIVATE KEY-----."
    )
    PATH = (
        "this looks like the path of a file, not like a key. If that file is on the worker, put the path into "
        "ssh_key_path; otherwise put the contents of the file here."
    )
    FINGERPRINT = (
        "this is a fingerprint or a public key in hexadecimal, as Encord's web app lists keys, which cannot sign "
        "anything. Put the private key here: the text that begins with -----BEGIN OPENSSH PRIVATE KEY-----."
    )
    UNRECOGNISED = (
        "this is not a private key. A private key begins with -----BEGIN OPENSSH PRIVATE KEY----- or "
        "-----BEGIN PRIVATE KEY-----. An API key of Encord belongs into api_key, together with resource_id."
    )
    UNKNOWN_BLOCK = f"the text between BEGIN and END is not a private key of a kind that is known here. {_MAKE_ONE}"

    NO_END = f"the end of the key is missing: there is a line with BEGIN, but none with END. {_WHOLE_KEY}"
    NO_BEGIN = f"the beginning of the key is missing: there is a line with END, but none with BEGIN. {_WHOLE_KEY}"
    MIXED = (
        "the lines with BEGIN and END do not belong together, so these are pieces of two keys. Put one whole key here."
    )
    SEVERAL = "these are several private keys. Leave the one that is registered in Encord."
    FOREIGN_CHARACTERS = (
        "between BEGIN and END are characters that no key has; a part may have been masked, shortened or replaced. "
        f"{_WHOLE_KEY}"
    )
    CUT_OFF = (
        f"the key is not complete: a part between BEGIN and END is missing. {_WHOLE_KEY} In a URI, write + as %2B."
    )
    DAMAGED = f"the key is damaged: it is as long as a key should be, but it contradicts itself. {_WHOLE_KEY}"

    LEGACY_ENCRYPTION = (
        "this has headers of the legacy PEM encryption (Proc-Type, DEK-Info), which does not exist for Ed25519 keys. "
        "Rewrite the key with `ssh-keygen -p -f FILE`, or make one with `ssh-keygen -t ed25519`."
    )
    NO_PASSPHRASE = (
        "the key is protected by a passphrase, and the passphrase is missing. Fill in the connection field "
        "private_key_passphrase."
    )
    WRONG_PASSPHRASE = (
        "the passphrase in the connection field private_key_passphrase does not open this key. Enter it again; "
        "if it is the right one, then the key is damaged."
    )
    MASKED_PASSPHRASE = f"look at the connection field private_key_passphrase: {WHAT_IT_IS}"
    PASSPHRASE_NOT_TEXT = (
        "the connection field private_key_passphrase must be text. Put it between quotation marks in JSON."
    )
    BCRYPT_MISSING = (
        "the key is protected by a passphrase, and the package bcrypt, which opens such keys, is not installed. "
        "Install it where Airflow runs: pip install 'cryptography[ssh]'"
    )
    TOO_MANY_ROUNDS = (
        "the passphrase of this key is protected by more rounds than can be computed in a minute, or the key is "
        "damaged. Rewrite it with `ssh-keygen -p -a 16 -f FILE`."
    )
    UNKNOWN_ENCRYPTION = (
        "the key is encrypted in a way that the package cryptography does not know. Rewrite it with "
        "`ssh-keygen -p -Z aes256-ctr -f FILE`."
    )


class KeyTextError(Exception):
    """The text is refused. Stays inside the loading of keys: callers see a CredentialError with place and sentence.

    :param refusal: Why.
    """

    def __init__(self, refusal: Refusal):
        super().__init__(refusal.name)
        self.refusal = refusal
