"""What people did, and how long, into files."""
