"""Work that Encord does on data that are there, in jobs."""
