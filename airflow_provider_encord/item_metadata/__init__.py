"""Client metadata of storage items."""
