"""Data rows and label rows, as they are listed."""
