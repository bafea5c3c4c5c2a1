"""ACME (RFC 8555): see README.md for what it promises."""
