"""Suites, keys, certificates, path validation, CMS, timestamps and revocation status, for intl and sm alike."""
