"""A local server that behaves like Encord, for tests, demos and DAG authors without an account.

It is not Encord and no part of Encord: it is a second, independent reading of the same wire facts that
``airflow_provider_encord.client`` holds, and imports nothing of it (nor Airflow). What it serves is one table, in
:mod:`airflow_provider_encord.emulator.routes`; its own controls live under ``/_emulator/``.
"""
