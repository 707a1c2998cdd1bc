"""Observability: logs that last, alarms that can ring, documents that can be read."""
