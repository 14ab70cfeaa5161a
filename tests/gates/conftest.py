"""The fixtures of the Airflow layer: an account on an emulator, and Airflow's database."""

from tests.moves.conftest import *  # noqa: F403
