"""The fixtures of the moves: an account on an emulator."""

from tests.airflow_layer.conftest import (
    _emulator,
    _plain_network,
    account,
    emulator,
    plain_network,
)

__all__ = ["_emulator", "_plain_network", "account", "emulator", "plain_network"]
