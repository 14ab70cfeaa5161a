"""The main job, end to end, on the emulator: ``make demo``."""
