"""DAGs of the tests; Airflow reads them as files, the tests as modules."""
