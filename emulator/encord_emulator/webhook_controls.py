"""The controls of webhooks, from Python. Standard library only."""

from __future__ import annotations

from typing import Any

from .control_client import ControlClient, given


class WebhookControls(ControlClient):
    """Subscribes URLs to the events of workflow stages, and lets deliveries go out."""

    def webhook(
        self,
        url: str,
        secret: str,
        project_id: str,
        stage_id: str,
        *,
        batch_size: int | None = None,
        max_wait_seconds: float | None = None,
        cycle_seconds: float | None = None,
        retry_seconds: float | None = None,
    ) -> str:
        """Let a URL be called for a workflow stage; the UUID of the webhook.

        :param url: On this machine, such as ``http://127.0.0.1:8080/encord/webhook``.
        :param secret: What the deliveries are signed with.
        :param project_id: Of the stage.
        :param stage_id: An agent stage (called when work waits there), an annotation stage (when a task is submitted)
            or a final one (when a task comes there).
        :param batch_size: How many tasks must wait in an agent stage. Default: 1.
        :param max_wait_seconds: Fewer are announced, too, if one of them has waited so long. Default: never.
        :param cycle_seconds: How long after an announcement work that remains is announced again. Default: 300.
        :param retry_seconds: How long after a failed delivery the next attempt is made. Default: 60.
        """
        body = given(
            url=url,
            secret=secret,
            project_hash=project_id,
            stage_uuid=stage_id,
            batch_size=batch_size,
            max_wait_seconds=max_wait_seconds,
            cycle_seconds=cycle_seconds,
            retry_seconds=retry_seconds,
        )
        return str(self._ask("POST", "webhooks", body)["uuid"])

    def webhooks(self) -> list[dict[str, Any]]:
        """The webhooks, each with its last hundred ``deliveries``: ``uid``, ``delivered``, ``attempts``, ``status``."""
        found: list[dict[str, Any]] = self._ask("GET", "webhooks")["webhooks"]
        return found

    def clear_webhooks(self) -> int:
        """Take all webhooks back; how many that were."""
        return int(self._ask("DELETE", "webhooks")["removed"])

    def deliver(
        self, webhook: str, *, secret: str | None = None, age_seconds: int | None = None, replay: bool = False
    ) -> list[dict[str, Any]]:
        """Call a webhook now, with what waits to be delivered or what its agent stage has; the deliveries.

        :param webhook: Its UUID.
        :param secret: Sign with this instead of the secret of the webhook.
        :param age_seconds: Sign as if so long ago; a negative number is in the future.
        :param replay: Send the last request again instead, byte by byte.
        """
        body = given(uuid=webhook, secret=secret, age_seconds=age_seconds, replay=replay)
        deliveries: list[dict[str, Any]] = self._ask("POST", "webhooks/deliver", body)["deliveries"]
        return deliveries
