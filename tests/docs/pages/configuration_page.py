"""The page ``docs/reference/configuration.md``, made from the options that the provider declares to Airflow.

``python -m tests.docs.pages.configuration_page`` writes it; a test checks that it is what the options say.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.get_provider_info import CONFIGURATION
from tests.docs.blocks import DOCS

PAGE = DOCS / "reference" / "configuration.md"
_HEAD = """# Configuration

The options of section `[encord]` in Airflow's configuration, and the environment variables that set them. With
`airflow config list --section encord` Airflow lists them, too.

`rate_limit` is read where tasks and triggers run: [Share Encord's rate limit](../errors.md#share-encords-rate-limit).
`history` is read there, too, and by reports: [Reports](../operators/reports.md).
The API server reads the other options when it starts. Only the [receiver of webhooks](../how-to/receive-webhooks.md)
uses them; it needs Airflow 3.1 or newer.

| option | variable | default | |
|---|---|---|---|
"""
_TAIL = """
{sensitive} are sensitive: Airflow hides their values. Instead of a value, set a
command that prints it (`AIRFLOW__ENCORD__WEBHOOK_SECRETS_CMD`) or its name in a secrets backend
(`AIRFLOW__ENCORD__WEBHOOK_SECRETS_SECRET`).
In logs the signing secrets and the password in the URL of Redis are masked, like the secrets of connections.

If an option of the receiver has a value that cannot be used, the receiver is off, and the API server logs which one.
If `history` has one, or its directory cannot be written, tasks log a warning and go on. If `rate_limit` has one, tasks
fail before their first request, with the name of the option.
"""


def page() -> str:
    """The whole page."""
    options = CONFIGURATION["encord"]["options"]
    sensitive = " and ".join(f"`{name}`" for name, option in options.items() if option.get("sensitive"))
    rows = "".join(_row(name, option) for name, option in options.items())
    return _HEAD + rows + _TAIL.format(sensitive=sensitive)


def _row(name: str, option: dict[str, Any]) -> str:
    default = f"`{option['default']}`" if option["default"] else "empty"
    example = f" Example: `{option['example']}`." if option["example"] else ""
    return f"| `{name}` | `AIRFLOW__ENCORD__{name.upper()}` | {default} | {option['description']}{example} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
