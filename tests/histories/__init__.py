"""Random histories: a bucket, people, Airflow and faults play against one operator, and what is promised must hold."""
