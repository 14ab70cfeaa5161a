"""A request and who may make it: operations, access, filters and pages."""
