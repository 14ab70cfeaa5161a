"""Whole Airflow deployments on this machine, as operators run them: for what `dag.test()` cannot stand for."""
