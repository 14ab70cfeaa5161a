"""Collections and filter presets: those of the data view (Index), and those of a project's explorer (Active)."""
