"""What users name to be brought in: files, tables of rows, and the kinds of media."""
