"""Storage: folders, items and their links to datasets."""
