"""Airflow's pages, the emulator and the example DAGs, to click through without an account: ``make play``."""
