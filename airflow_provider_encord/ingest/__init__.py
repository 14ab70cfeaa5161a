"""Bringing data into Encord: what is to come in, in which parts, and what became of each. No Airflow here."""
