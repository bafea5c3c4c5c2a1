"""Passkeys (WebAuthn): a second key of a certificate's holder, for signing in; never for more than the certificate is good for."""

from authz.passkey.service import Passkeys

__all__ = ["Passkeys"]
