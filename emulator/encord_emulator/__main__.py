"""The command ``encord-emulator``: a local server that behaves like Encord. It is NOT Encord and not made by Encord."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from .http.request_origin import host_name, is_loopback

INSTALL = "pip install encord-emulator"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        keys = [_read_key(path) for path in options.authorize]
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        sys.stderr.write(f"encord-emulator: --authorize: {problem}\n")
        return 2
    if not options.allow_remote and not _is_loopback(options.host):
        sys.stderr.write(
            f"encord-emulator: --host {options.host} is not a loopback address, and anyone who reaches it can use it "
            "freely. Add --allow-remote if that is meant (the controls stay loopback only).\n"
        )
        return 2
    try:
        from .http.server import serve
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith(__name__.partition(".")[0]):
            raise  # ours: no other package brings it
        # Not by the module's name alone: Pillow's is PIL, and a package named PIL should not be installed.
        sys.stderr.write(
            f"encord-emulator: the module {missing.name} is missing. Install what the emulator depends on ({INSTALL}), "
            "or name a Python that has it in the variable ENCORD_EMULATOR_PYTHON.\n"
        )
        return 2
    from .state.database_file import DatabaseFileError
    from .wire.errors import RefusalError

    try:
        serve(options.host, options.port, options.db, keys, [options.host, *options.allow_host])
    except DatabaseFileError as problem:
        sys.stderr.write(f"encord-emulator: --db: {problem}\n")
        return 2
    except RefusalError as problem:
        sys.stderr.write(f"encord-emulator: --authorize: {problem}\n")
        return 2
    except OSError as problem:
        sys.stderr.write(f"encord-emulator: {options.host}:{options.port}: {problem}\n")
        return 1
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong; `--help` shows the rest."""
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="encord-emulator",
        description="A local server that behaves like Encord, for tests and demos. It is NOT Encord and not made by "
        "Encord: do not send it data or keys that matter.",
    )
    serve = parser.add_subparsers(required=True, metavar="serve").add_parser("serve", help="serve until interrupted")
    serve.add_argument("--host", type=_host, default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=_port, default=8765, help="port; 0 picks a free one (default: %(default)s)")
    serve.add_argument(
        "--db", type=pathlib.Path, metavar="PATH", help="keep the state in this file (default: in memory)"
    )
    serve.add_argument(
        "--authorize",
        type=pathlib.Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="PUBLIC_KEY_FILE",
        help="register the ssh-ed25519 public key in this file; the person is the e-mail address in its comment, else "
        "<name of the file>@example.com; may be given several times",
    )
    serve.add_argument("--allow-remote", action="store_true", help="allow a --host that is not a loopback address")
    serve.add_argument(
        "--allow-host",
        type=_host,
        action="append",
        default=[],
        metavar="NAME",
        help="also serve requests whose Host header is NAME; without it only loopback names and addresses are served, "
        "so that no web page in a browser can use the emulator; may be given several times",
    )
    return parser


def _read_key(path: pathlib.Path) -> tuple[str, str]:
    """Email and public key of a file."""
    words = path.expanduser().read_text("utf-8").split()
    if len(words) < 2 or words[0] != "ssh-ed25519":
        raise ValueError(f"{path}: this is not the public half of an ssh-ed25519 key (ssh-ed25519 AAAA... comment)")
    comment = words[2] if len(words) > 2 else ""
    return comment if "@" in comment else f"{path.stem}@example.com", f"{words[0]} {words[1]}"


def _is_loopback(host: str) -> bool:
    try:
        return is_loopback(host_name(host))
    except ValueError:
        return False


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; pass a number from 0 to 65535")
    return int(text)


def _host(text: str) -> str:
    try:
        return host_name(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


if __name__ == "__main__":
    sys.exit(main())
