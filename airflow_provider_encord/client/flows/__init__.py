"""What takes several requests: pages, chunks, jobs, getting or creating, and the choice between versions of the API."""
