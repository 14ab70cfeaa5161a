"""People, their keys, organisations, groups and members."""
