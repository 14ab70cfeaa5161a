"""What Airflow puts where it hides a stored secret.

There are two. Airflow 3 and the REST API write ``***``; the form of Airflow 2.11 holds a long word instead of
a stored secret, and its Test button sends that word.
"""

from __future__ import annotations

_OF_THE_FORM = "RATHER_LONG_SENSITIVE_FIELD_PLACEHOLDER"  # airflow.www.views.SENSITIVE_FIELD_PLACEHOLDER in 2.11
_SHORTEST_MASK = 3  # asterisks

WHAT_IT_IS = (
    "this is Airflow's mask for a hidden secret (***), not the secret: it was not sent along, or was copied from a "
    "page that hides it. Enter it again, or try what is stored with `airflow connections test CONNECTION_ID`."
)
"""What to say of one; follows the name of the field."""


def is_placeholder(text: str) -> bool:
    """Whether a text stands for a hidden secret, and is none."""
    bare = text.strip()
    return bare == _OF_THE_FORM or (len(bare) >= _SHORTEST_MASK and not bare.strip("*"))
