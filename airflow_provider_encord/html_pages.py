"""Pages and pictures that tasks write, and write again: each replaces only an earlier one of the same kind."""

from __future__ import annotations

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.storage_paths import StoragePath, require_writable, storage_errors


def require_replaceable_page(path: StoragePath, argument: str, beginning: str | bytes, what: str) -> None:
    """Check that a page can be written, and that it replaces only an earlier page or an empty file.

    :param argument: The argument that the path comes from, for messages.
    :param beginning: How all pages of this kind begin.
    :param what: Description of the page, for the message (``a page of a quality gate``).
    :raises InvalidArgumentError: The path has another file, or it cannot be written.
    """
    begins = beginning.encode() if isinstance(beginning, str) else beginning
    require_writable(path, argument)
    with storage_errors(argument, path):
        if not path.exists():
            return
        file = path.open("rb")
        try:
            found = file.read(len(begins))
        finally:
            file.close()
    if found not in (b"", begins):
        raise InvalidArgumentError(f"{argument}: {path} is not {what}. The file was not changed. Pass another file.")
