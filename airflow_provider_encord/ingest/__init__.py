"""Bringing data into Encord: finding the files, splitting them into jobs, and recording each outcome.

Without Airflow.
"""
