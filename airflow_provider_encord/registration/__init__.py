"""Objects of a cloud bucket into a dataset or folder, in jobs."""
