"""Live data in SQL: what changes while the service runs."""
