"""Projects and ontologies."""
