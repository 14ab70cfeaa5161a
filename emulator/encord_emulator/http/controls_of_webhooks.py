"""The controls of webhooks, under ``/_emulator/webhooks``. They can wait for a receiver, so no transaction is held."""

from __future__ import annotations

from typing import Any

from ..state.emulation import Emulation
from ..webhooks import subscriptions
from ..webhooks.deliveries import Deliveries, Order
from ..wire import shapes
from ..wire.errors import Reason, RefusalError

NAME = "webhooks"


async def serve(emulation: Emulation, deliveries: Deliveries, method: str, name: str, body: bytes) -> Any:
    """:raises RefusalError: There is no such control, or it does not do what is asked for."""
    match method, name:
        case "GET", "webhooks":
            return {"webhooks": subscriptions.views(emulation.store)}
        case "DELETE", "webhooks":
            return {"removed": deliveries.remove_all()}
        case "POST", "webhooks":
            added = subscriptions.add(emulation.store, shapes.decode(subscriptions.NewWebhook, body, "body"))
            deliveries.resume()
            return added
        case "POST", "webhooks/deliver":
            return await deliveries.deliver(shapes.decode(Order, body, "body"))
    raise RefusalError(Reason.NOT_FOUND, f"there is no control {method} {name}")
