"""Copies of the log outward, by the Fluentd Forward protocol. A copy is never the record."""

from audit.forward.courier import Courier
from audit.forward.settings import ForwardSettings, OperationalSettings, ReceiverSettings

__all__ = ["Courier", "ForwardSettings", "OperationalSettings", "ReceiverSettings"]
