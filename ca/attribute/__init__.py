"""Attribute certificates (RFC 5755): posts, roles, clearance and grants of a certificate's holder, as signed objects."""
