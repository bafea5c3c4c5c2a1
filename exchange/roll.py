"""The roll of a run: the digests of its headers, in their order. It is what a site signs of a run.

So one signature proves each of a hundred messages alone: whoever is shown one of them sees only digests of the others. A header's
digest does not betray what it says, since each header names the digest of a key that nobody guesses.
"""

from collections.abc import Sequence

from yinxin import canonical

#: of runs: the first was signed over its last header alone, whose chain covers those before it
SIGNED_LAST, SIGNED_ROLL = 1, 2


def roll(sender_site: str, recipient_site: str, first: int, digests: Sequence[str]) -> bytes:
    """Canonical JSON: whose messages to whom, number of the first, and the digests (hex) of the headers from it on."""
    return canonical.encode(
        {
            "v": SIGNED_ROLL,
            "from": sender_site,
            "to": recipient_site,
            "first": first,
            "headers": list(digests),
        }
    )
