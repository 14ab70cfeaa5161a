"""Bringing data into Encord: what is to come in, in which parts, and the outcome of each. No Airflow here."""
