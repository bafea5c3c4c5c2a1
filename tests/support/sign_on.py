"""What authz is handed at assembly for the sign-on of other systems, without a key centre or a network."""

import httpx

from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL


class SoftwareKeys:
    """The key centre's part, with keys in this process."""

    def __init__(self) -> None:
        self.keys: dict[str, PrivateKey] = {}

    def make(self, label: str) -> None:
        self.keys.setdefault(label, PrivateKey.generate(INTL))

    def signer(self, label: str) -> PrivateKey:
        return self.keys[label]


def nobody_to_tell() -> httpx.Client:
    """No other system is there to be told of a logout."""
    return httpx.Client(transport=httpx.MockTransport(lambda _request: httpx.Response(404)))
