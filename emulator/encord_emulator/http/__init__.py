"""The server: requests over HTTP, the controls and the pages."""
