"""Which failed polls end a wait. Temporary failures never do."""

from __future__ import annotations

from airflow_provider_encord.client.errors import EncordError, UnexpectedResponseError

FORGIVEN = 10
"""How many polls in a row may fail for a reason that is neither temporary nor clearly permanent."""


class Patience:
    """Counts failed polls in a row."""

    def __init__(self) -> None:
        self._doubtful = 0

    def succeeded(self) -> None:
        """A poll succeeded."""
        self._doubtful = 0

    def ends(self, error: Exception) -> bool:
        """Whether this failure ends the wait.

        A permanent error does (no access, not found, a wrong argument), a temporary one does not. A response that
        cannot be read, and an error of Airflow while it reads the connection, may be either: the wait ends at the 11th
        in a row.
        """
        if isinstance(error, EncordError) and not isinstance(error, UnexpectedResponseError):
            return not error.retryable
        self._doubtful += 1
        return self._doubtful > FORGIVEN
