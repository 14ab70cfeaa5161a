"""A local server that behaves like Encord, for tests, demos and DAG authors without an account.

It is not Encord and no part of Encord: it is a second, independent reading of the wire facts that the client holds as
well, and imports nothing of the client (nor Airflow). What it serves is one table, in
:mod:`airflow_provider_encord.emulator.routes`; its own controls live under ``/_emulator/``.
"""
