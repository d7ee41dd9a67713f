"""The HTTP interface: one file per resource, one table of routes, one shape of error."""
