"""The file of ssh_key_path: what is read, and what the message says when it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.key_file import LARGEST_FILE
from tests.client import keys
from tests.client.credentials.test_pem import MANGLINGS
from tests.client.refusals import message_of

KEY = keys.new_key()
OPENSSH, PKCS8 = keys.openssh(KEY), keys.pkcs8(KEY)
LOCKED_OPENSSH = keys.openssh(KEY, keys.PASSPHRASE)


def test_a_key_is_read_from_its_file(tmp_path: Path) -> None:
    for name, text in {
        "plain": OPENSSH,
        "crlf": OPENSSH.replace("\n", "\r\n"),
        "base64": MANGLINGS["base64 of the file"](PKCS8),
    }.items():
        (tmp_path / name).write_bytes(text.encode())
        assert SshKey.from_path(tmp_path / name) == SshKey.parse(OPENSSH)
        assert SshKey.from_path(f" {tmp_path / name}\n") == SshKey.parse(OPENSSH)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_file_that_a_windows_tool_wrote_is_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(OPENSSH.replace("\n", "\r\n").encode(encoding))
    assert SshKey.from_path(tmp_path / "key") == SshKey.parse(OPENSSH)


def test_a_tilde_is_the_home_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key").write_text(LOCKED_OPENSSH)
    assert SshKey.from_path("~/key", keys.PASSPHRASE) == SshKey.parse(OPENSSH)
    assert "~/missing" in message_of(lambda: SshKey.from_path("~/missing"))


def test_a_link_to_the_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "key").write_text(OPENSSH)
    (tmp_path / "key").symlink_to(tmp_path / "..data" / "key")  # how Kubernetes mounts a secret
    assert SshKey.from_path(tmp_path / "key") == SshKey.parse(OPENSSH)


def test_a_file_that_cannot_hold_a_key_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (LARGEST_FILE + 1))
    (tmp_path / "binary").write_bytes(b"\x30\x2e\x00\xff\xfe\x00")
    (tmp_path / "der").write_bytes(keys.body_of(PKCS8))
    (tmp_path / "empty").write_bytes(b" \n")
    (tmp_path / "link").symlink_to(tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    expected = {
        "missing": "there is no file",
        "large": "larger than 64 KiB",
        "binary": "is binary",
        "der": "is binary",
        "empty": "is empty",
        "link": "cannot be read",
        "pipe": "neither a file nor a link",
        "": "is a directory",
        "binary/below": "cannot be read",
        "x" * 300: "cannot be read",
    }
    for name, reason in expected.items():
        message = message_of(lambda name=name: SshKey.from_path(tmp_path / name))  # type: ignore[misc]
        assert message.startswith("Connection field ssh_key_path: ")
        assert reason in message
        assert str(tmp_path / name) in message


def test_the_largest_file_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(OPENSSH.ljust(LARGEST_FILE))
    assert SshKey.from_path(tmp_path / "key") == SshKey.parse(OPENSSH)


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(OPENSSH)
    key.chmod(0)
    script = (
        "import os, sys\n"
        "from airflow_provider_encord.client.credentials import SshKey\n"
        "if os.getuid() == 0: os.setuid(65534)\n"  # root may read everything
        "try: SshKey.from_path(sys.argv[1])\n"
        "except Exception as error: print(error)\n"
    )
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", script, str(key)], capture_output=True, text=True, check=True)
    assert "Connection field ssh_key_path: the user that runs Airflow may not read the file" in done.stdout
    assert str(key) in done.stdout


@pytest.mark.parametrize("given", ["", "  ", "***", None, 17, "~no-user-of-this-name/key", "a\0b"])
def test_what_is_no_path_is_refused(given: object) -> None:
    assert message_of(lambda: SshKey.from_path(given)).startswith("Connection field ssh_key_path: ")  # type: ignore[arg-type]


@pytest.mark.parametrize("mangling", MANGLINGS)
def test_a_key_that_was_pasted_as_a_path_is_not_shown(mangling: str) -> None:
    text = MANGLINGS[mangling](OPENSSH)
    message = message_of(lambda: SshKey.from_path(text))
    assert "private_key" in message
    assert "not a path" in message
    assert OPENSSH.splitlines()[3][:20] not in message
