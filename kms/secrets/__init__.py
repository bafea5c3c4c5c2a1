"""Secrets of the installation: where each one stands, and the one way to read it."""

from kms.secrets.files import SecretFiles
from kms.secrets.secret import (
    DATABASE_PASSWORD,
    HSM_PIN,
    HSM_SO_PIN,
    SECOND,
    Secret,
    SecretName,
    SecretSource,
)
from kms.secrets.settings import SecretsSettings
from kms.secrets.sources import Sources

__all__ = [
    "DATABASE_PASSWORD",
    "HSM_PIN",
    "HSM_SO_PIN",
    "SECOND",
    "Secret",
    "SecretFiles",
    "SecretName",
    "SecretSource",
    "SecretsSettings",
    "Sources",
]
