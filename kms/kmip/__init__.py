"""KMIP 接口 Keys of storage and databases, by KMIP 1.2 over mutual TLS: see README.md for what it promises."""
