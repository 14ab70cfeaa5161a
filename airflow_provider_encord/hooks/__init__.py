"""From an Airflow connection to an authenticated client."""
