"""The receiver of Encord's webhooks: an app in Airflow's API server that stores asset events. Airflow 3.1 and newer."""
