"""Proofs are renewed before they end: evidence records (RFC 4998) of checkpoints, sealed archives and what is in keeping."""
