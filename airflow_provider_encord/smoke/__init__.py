"""Read-only requests with the user's own connection, and a report for an issue.

It runs as ``python -m airflow_provider_encord.smoke``, and in a checkout as ``make smoke``.

The protocol was derived from Encord's SDKs, and this package was never tested with Encord's servers. The report lists
each assumption about Encord, and whether it is true.

The report contains no data of the account: resources are called ``project-1``, fields are listed without their values,
and the texts of the server's error messages are left out.
"""
