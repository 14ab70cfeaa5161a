"""What goes over the wire: signatures, shapes of JSON, errors, times and identifiers."""
