"""A newcomer's walk through Airflow's own pages in a real browser; by `make e2e` only, as it needs Chromium."""
