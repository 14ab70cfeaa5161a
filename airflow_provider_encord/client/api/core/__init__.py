"""What operations are made of: the registry, reading of answers, listings, roles and items of data."""
