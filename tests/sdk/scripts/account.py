"""What every script here starts and ends with: signing in to a server, and printing one JSON document."""

import argparse
import json
import sys

from encord import EncordUserClient


def arguments(*names, **options):
    """`--url`, `--key-file`, and one required `--name` per name; options have their defaults as values."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--key-file")
    for name in names:
        parser.add_argument(f"--{name}", required=True)
    for name, default in options.items():
        parser.add_argument(f"--{name}", default=default, nargs="*" if isinstance(default, list) else None)
    return parser.parse_args()


def sign_in(options):
    return EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=options.key_file, domain=options.url)


def show(document):
    """Enumerations, times and ids are shown as text."""
    json.dump(document, sys.stdout, default=str)


def attempt(call):
    """What the SDK raised, for calls that are expected to fail; a call that works says so."""
    try:
        result = call()
    except Exception as error:  # noqa: BLE001  the class is the finding
        return {"raised": type(error).__name__, "message": str(error)}
    return {"raised": None, "result": repr(result)}
