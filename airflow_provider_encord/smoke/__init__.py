"""Read-only calls with the user's own connection, and a report for a bug report.

It runs as ``python -m airflow_provider_encord.smoke``, and in a checkout as ``make smoke``.

The protocol was derived from the vendor's SDKs, and this package was never tried against Encord's servers. The report
lists each assumption about Encord, and whether it held.

The report contains no data of the account: resources are called ``project-1``, fields are named without their values,
and the texts of error messages from servers are left out.
"""
