"""The operations of Encord's API, one file per subject: its records and the functions that make its calls."""
