"""Labels: reading, saving, branches and history."""
