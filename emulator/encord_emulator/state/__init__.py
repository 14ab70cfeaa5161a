"""What one emulator holds: the database, objects, clock, faults, limits, journal and running jobs."""
