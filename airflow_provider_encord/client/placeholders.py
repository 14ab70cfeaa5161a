"""The placeholders that Airflow shows instead of a stored secret.

There are two. Airflow 3 and the REST API write ``***``. The connection form of Airflow 2.11 contains a long word, and
its Test button sends that word instead of the secret.
"""

from __future__ import annotations

_OF_THE_FORM = "RATHER_LONG_SENSITIVE_FIELD_PLACEHOLDER"  # airflow.www.views.SENSITIVE_FIELD_PLACEHOLDER in 2.11
_SHORTEST_MASK = 3  # asterisks

WHAT_IT_IS = (
    "this is Airflow's mask for a hidden secret (***), not the secret itself: Airflow did not send the secret, or the "
    "mask was copied from a page. Enter it again, or test the stored one with `airflow connections test "
    "CONNECTION_ID`."
)
"""The message about a placeholder; it follows the name of the field."""


def is_placeholder(text: str) -> bool:
    """Whether a text is a placeholder for a hidden secret."""
    bare = text.strip()
    return bare == _OF_THE_FORM or (len(bare) >= _SHORTEST_MASK and not bare.strip("*"))
