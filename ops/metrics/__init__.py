"""Monitoring: what every module tells of itself in numbers, in OpenMetrics text at `/metrics`."""
