"""The provider's metadata, which Airflow reads at every start: connection type, form and modules.

It imports only the version, to start fast. Airflow 3.2 and newer build the connection form from `CONNECTION_FIELDS` and
`FIELD_BEHAVIOUR`. Older versions call the class methods of the hook, which use the same two tables.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_encord import __version__

CONNECTION_TYPE = "encord"
HOOK_NAME = "Encord"
HOOK_CLASS = "airflow_provider_encord.hooks.encord.EncordHook"
DEFAULT_CONNECTION_ID = "encord_default"
AUTH_METHODS = ("ssh_key", "api_key")
ADVANCED = "Advanced"


def _field(label: str, description: str, **schema: Any) -> dict[str, Any]:
    """One field of the form. Every type allows null; otherwise the form would require a value."""
    return {"label": label, "description": description, "schema": {"type": ["string", "null"], **schema}}


CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "auth_method": _field(
        "Authentication",
        "ssh_key: the key of a user or of a service account. api_key: a legacy key that belongs to one project or "
        "dataset. May be empty if only the fields of one method are filled.",
        enum=[*AUTH_METHODS, None],
        values_display={"null": "(from the fields that are filled in)"},  # Airflow 3.3 would show the word "null"
    ),
    "private_key": _field(
        "SSH private key",
        "For ssh_key: the private Ed25519 key whose public key is registered in Encord. It begins with "
        "-----BEGIN OPENSSH PRIVATE KEY-----. The key file of a service account is such a key, not an API key.",
        format="multiline",
    ),
    "ssh_key_path": _field(
        "SSH key path",
        "For ssh_key, instead of the key itself: path of the key file on every worker and triggerer (~ is expanded).",
    ),
    "private_key_passphrase": _field(
        "Passphrase", "For ssh_key: the passphrase of the key, if it has one.", format="password"
    ),
    "api_key": _field(
        "API key (legacy)",
        "For api_key: the key that was created for one project or dataset. Encord's SDK removed support for API keys "
        "in November 2024, so use an SSH key for anything new.",
        format="password",
    ),
    "resource_id": _field("Project or dataset id", "For api_key: id (UUID) of the project or dataset of the key."),
    "connect_timeout": _field(
        "Connect timeout",
        "Seconds to wait for a connection. Default: 30.",
        type=["number", "null"],
        minimum=0,
        section=ADVANCED,
    ),
    "read_timeout": _field(
        "Read timeout",
        "Seconds to wait for a response. Default: 180.",
        type=["number", "null"],
        minimum=0,
        section=ADVANCED,
    ),
    "total_timeout": _field(
        "Total timeout",
        "Maximum seconds for one attempt of a request. A transfer of at least 16 KiB per second may take longer. "
        "Default: twice the read timeout.",
        type=["number", "null"],
        minimum=0,
        section=ADVANCED,
    ),
    "ca_bundle": _field(
        "CA bundle",
        "Path of a file with the certificates to trust, if a proxy or a private certificate authority is used. "
        "Default: the certificates of the machine.",
        section=ADVANCED,
    ),
    "web_app_url": _field(
        "Web app",
        "Address of the web app, to which the links of tasks lead, for a private installation of Encord. Default: the "
        "web app of the region. Other hosts have no links.",
        section=ADVANCED,
    ),
    "allow_http": _field(
        "Allow plain http",
        "Allow sending credentials over unencrypted http to another machine. For tests only.",
        type=["boolean", "null"],
        section=ADVANCED,
    ),
}

FIELD_BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["login", "password", "schema"],
    "relabeling": {"host": "API host"},
    "placeholders": {"host": "https://api.encord.com (default) or https://api.us.encord.com", "port": ""},
}


def _option(description: str, **more: Any) -> dict[str, Any]:
    """One option of the configuration."""
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": "string",
        "example": None,
        "default": "",
        **more,
    }


CONFIGURATION: dict[str, Any] = {
    "encord": {
        "description": "Encord. The receiver of Encord's webhooks needs Airflow 3.1 or newer, and only the API server "
        "reads its options.",
        "options": {
            "rate_limit": _option(
                "Requests per second that the tasks and triggers of one machine send at most with one credential. "
                "Empty: as many as Encord takes; when Encord refuses one, the others on the machine wait, too, and "
                "are sent more slowly.",
                example="20",
            ),
            "rate_limit_redis_url": _option(
                "URL of a Redis server, so that the tasks and triggers of all machines share the rate limit. Needs the "
                "extra redis. Empty: each machine has a rate limit of its own.",
                example="redis://:password@redis.example.com:6379/3",
                sensitive=True,
            ),
            "history": _option(
                "Directory in which operators, sensors and triggers keep what they learn about each project: an "
                "absolute path that all workers share, or a URL such as s3://connection_id@bucket/path. Nothing is "
                "sent to Encord for it. Empty: no history is kept.",
                example="s3://aws_default@my-bucket/encord-history",
            ),
            "webhook_secrets": _option(
                "Signing secrets that Encord shows beside the webhooks, separated by commas or blanks. A delivery may "
                "be signed with any of them, so that a secret can be replaced without losing deliveries. Empty: the "
                "receiver is off.",
                sensitive=True,
            ),
            "webhook_projects": _option(
                "Ids of the projects whose webhooks this deployment handles, separated by commas or blanks. The "
                "deliveries of other projects are acknowledged and ignored. Empty: all are ignored.",
                example="aaaaaaaa-0000-4000-8000-000000000001",
            ),
            "webhook_max_body_bytes": _option(
                "Maximum length of a delivery in bytes.", type="integer", default="1048576"
            ),
            "webhook_tolerance_seconds": _option(
                "How many seconds the time of a signature may be from now.", type="integer", default="300"
            ),
            "webhook_conn_id": _option(
                "Id of a connection with which the receiver looks up, by requests that only read, which tasks are in "
                "the announced stage and when label rows were edited. Its host is the host of the assets. Empty: "
                "events contain no task ids, and the host is api.encord.com.",
                example="encord_default",
            ),
        },
    }
}

ASSET_URIS: dict[str, Any] = {
    "schemes": ["encord"],
    "handler": "airflow_provider_encord.assets.sanitize_uri",
    "factory": "airflow_provider_encord.assets.create_asset",
    "to_openlineage_converter": "airflow_provider_encord.assets.to_openlineage",
}


def get_provider_info() -> dict[str, Any]:
    """Describe this provider to Airflow."""
    integration = "Encord"

    def modules(kind: str, *names: str) -> list[dict[str, Any]]:
        paths = [f"airflow_provider_encord.{kind}.{name}" for name in names]
        return [{"integration-name": integration, "python-modules": paths}]

    return {
        "package-name": "airflow-provider-encord",
        "name": HOOK_NAME,
        "description": "Run `Encord <https://encord.com/>`__ annotation workflows from Apache Airflow.",
        "versions": [__version__],
        "integrations": [
            {"integration-name": integration, "external-doc-url": "https://docs.encord.com/", "tags": ["service"]}
        ],
        "connection-types": [
            {
                "connection-type": CONNECTION_TYPE,
                "hook-class-name": HOOK_CLASS,
                "hook-name": HOOK_NAME,
                "conn-fields": CONNECTION_FIELDS,
                "ui-field-behaviour": FIELD_BEHAVIOUR,
            }
        ],
        "hooks": modules("hooks", "encord"),
        "operators": modules(
            *("operators", "projects", "datasets", "ontologies", "storage", "labels", "workflow"),
            *("quality", "agents", "analytics", "media", "training", "reports"),
        ),
        "sensors": modules("sensors", "projects", "workflow", "labels"),
        "triggers": modules("triggers", "jobs", "waits", "pauses", "events"),
        "task-decorators": [
            {"name": "encord_agent", "class-name": "airflow_provider_encord.decorators.agent.encord_agent_task"}
        ],
        "asset-uris": [ASSET_URIS],
        "dataset-uris": [ASSET_URIS],  # their name on Airflow 2
        "cli": ["airflow_provider_encord.smoke.airflow_cli.get_cli_commands"],  # read by Airflow 3.2 and newer
        "extra-links": [
            "airflow_provider_encord.links.EncordLink",
            "airflow_provider_encord.links.EncordProjectPageLink",
        ],
        "config": CONFIGURATION,
    }
