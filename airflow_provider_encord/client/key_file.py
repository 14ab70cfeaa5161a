"""Read the file that ``ssh_key_path`` names.

The path is shown in messages, as it is not a secret, unless it looks like a key that was pasted into this field.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from airflow_provider_encord.client.pem import text_of, undo_escapes
from airflow_provider_encord.client.placeholders import is_placeholder

LARGEST_FILE = 64 * 1024  # bytes; a key of any kind has less than 10 KiB

# A run of 20 or more letters of both cases and digits is how base64 looks, and not how folders are called.
_BASE64_RUN = re.compile(r"(?=[A-Za-z0-9+=]*[a-z])(?=[A-Za-z0-9+=]*[A-Z])(?=[A-Za-z0-9+=]*[0-9])[A-Za-z0-9+=]{20,}")
_MARKS = ("BEGIN", "PRIVATE KEY", "PuTTY-User-Key-File")
_LONGEST_PATH = 4096  # characters; longer ones do not exist on Linux


class KeyFileError(Exception):
    """The file cannot be read. Stays inside the loading of keys: callers see a CredentialError.

    :param sentence: What is wrong and what to do. Holds no contents of the file.
    """

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


def read_key_file(path: str | os.PathLike[str]) -> str:
    """The text of a key file.

    :param path: Path on this machine; ``~`` is the home of the user that runs this process.
    :raises KeyFileError: There is no such file, or it is none that could hold a key.
    """
    if not isinstance(path, str | os.PathLike):
        raise KeyFileError("the path must be text. Put it between quotation marks in JSON.")
    given = os.fspath(path)
    if not given.strip():
        raise KeyFileError("the path is empty. Name the file that holds the private key.")
    if is_placeholder(given):
        raise KeyFileError("this is Airflow's mark for a hidden value (***), not a path. Enter the path again.")
    if looks_like_a_key(given):
        raise KeyFileError(
            "this is not a path but looks like a key (so it is not shown here). "
            "Put the text of a key into private_key, and into this field only the path of a file."
        )
    problem, data = _read(given.strip())
    if problem:
        raise KeyFileError(problem)
    text = text_of(data)
    if text is None:
        raise KeyFileError(
            f"the file {given.strip()} is binary, not the text of a key. "
            "Convert it with `openssl pkey -inform DER -in FILE -out key.pem`, or name another file."
        )
    return text


def looks_like_a_key(given: str) -> bool:
    """Whether this is the text of a key, or a part of one, in the place of a path."""
    if len(given) > _LONGEST_PATH:
        return True
    # Encoded in a URI or in JSON, a key has no line ends, and each encoded sign ends a run of base64.
    plain = undo_escapes(given)
    return not plain.strip().isprintable() or any(mark in plain for mark in _MARKS) or bool(_BASE64_RUN.search(plain))


def _read(given: str) -> tuple[str, bytes]:
    """Problem and contents; one of the two is empty."""
    try:
        path = Path(given).expanduser()
        if path.is_dir():
            return f"{given} is a directory. Name the file in it that holds the private key.", b""
        if path.exists() and not path.is_file():
            return f"{given} is neither a file nor a link to one. Name the file that holds the private key.", b""
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return (
            f"there is no file {given} on the machine that looked for it. It must be wherever Airflow uses the "
            "connection: on every worker and triggerer, and for the Test button on the API server (webserver). Or put "
            "the text of the key into private_key."
        ), b""
    except PermissionError:
        return (
            f"the user that runs Airflow may not read the file {given}. Give it the right to read (chmod u=r, chown)."
        ), b""
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: ~name of a user without a home
        return f"the file {given} cannot be read: {getattr(error, 'strerror', None) or error}.", b""
    if len(data) > LARGEST_FILE:
        return f"the file {given} is larger than 64 KiB, so it is not a private key. Name another file.", b""
    if not data.strip():
        return f"the file {given} is empty. Write the private key into it, or name another file.", b""
    return "", data
