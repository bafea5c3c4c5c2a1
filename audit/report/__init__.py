"""Audit reports: made from the log, proved entry by entry, signed, on demand or for each period."""
