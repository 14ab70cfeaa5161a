"""Encord's HTTP API without Airflow: calls as values, credentials that sign them, and a client that sends them."""
