"""Changes of the data rows of a dataset, as a task makes them: storage items linked, data rows removed."""
