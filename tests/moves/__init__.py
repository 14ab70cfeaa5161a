"""Every operator that changes something or writes files, in every everyday move of Airflow."""
