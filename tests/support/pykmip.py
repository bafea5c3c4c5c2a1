"""PyKMIP's client, a judge of KMIP's face that is not ours. It is imported quietly: its tables are made in a way that has another name by now."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from kmip.core import enums, utils
    from kmip.core.attributes import Name
    from kmip.core.factories.attributes import AttributeFactory
    from kmip.core.messages import messages
    from kmip.pie.client import ProxyKmipClient
    from kmip.pie.exceptions import KmipOperationFailure
    from kmip.pie.objects import SecretData, SymmetricKey

__all__ = [
    "AttributeFactory",
    "KmipOperationFailure",
    "Name",
    "ProxyKmipClient",
    "SecretData",
    "SymmetricKey",
    "enums",
    "messages",
    "utils",
]
