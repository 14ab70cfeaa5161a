"""Whole Airflow deployments on this machine, as an operator would run them: for tests that `dag.test()` cannot stand for."""
