"""Files into a dataset or folder: which are there, transfer, registration and the report."""
