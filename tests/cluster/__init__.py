"""A whole Airflow on real parts, and what it must survive (``make cluster``): CeleryExecutor, PostgreSQL, Redis, an S3
server, several schedulers, triggerers, API servers and workers, and the emulator as Encord.
"""
