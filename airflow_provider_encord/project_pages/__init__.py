"""The page "Encord" of Airflow's web interface: how far all projects are, and one page for each, from their history."""
