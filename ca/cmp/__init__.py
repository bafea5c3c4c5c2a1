"""The Certificate Management Protocol (RFC 9810, RFC 9483): see README.md for what it promises."""
