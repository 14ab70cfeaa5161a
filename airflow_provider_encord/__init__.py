"""Apache Airflow provider for Encord. Imports nothing: Airflow loads this package while it is itself being imported."""

__version__ = "0.1.0"
