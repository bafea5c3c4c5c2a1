"""Shares of a secret in words (SLIP-0039), one group with a threshold of its members."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.share import Share as Parsed
from shamir_mnemonic.wordlist import WORDLIST

from kms.custodians.errors import ShareInvalid
from yinxin.crypto.suite import INTL
from yinxin.text import Text

#: the most members that a group can have (SLIP-0039, 4 bits)
MOST = 16
#: longer input is no share: 33 words of a 256-bit secret, of at most 8 letters
_LONGEST = 400

_WORDS = frozenset(WORDLIST)


@dataclass(frozen=True, repr=False)
class Share:
    """One share: which member it is, and its words in their one spelling."""

    index: int
    threshold: int
    words: str

    @property
    def fingerprint(self) -> str:
        """Names the share and tells nothing of it: it holds 256 random bits."""
        return INTL.hash.digest(b"yinxin custodian share\0" + self.words.encode()).hex()

    def __repr__(self) -> str:
        return f"Share({self.index})"


def split(secret: bytes, threshold: int, count: int) -> list[Share]:
    """So many shares of the secret, any `threshold` of which give it back; checked before they are given out."""
    (words,) = generate_mnemonics(1, [(threshold, count)], secret, extendable=True, iteration_exponent=0)
    shares = [read_share(each) for each in words]
    if join(shares[-threshold:]) != secret:
        raise RuntimeError("shares that do not give their secret back")
    return shares


def read_share(text: str) -> Share:
    """The share that these words are, whatever their case and spacing; raises ShareInvalid, which quotes no word."""
    words = text.lower().split() if len(text) <= _LONGEST else ()
    if not words:
        raise ShareInvalid(reason=Text("没有词或过长", "no words, or too many"))
    for place, word in enumerate(words, 1):
        if word not in _WORDS:
            raise ShareInvalid(reason=Text(f"第 {place} 个词不在词表中", f"word {place} is not in the list"))
    plain = " ".join(words)
    parsed = None
    with suppress(MnemonicError):
        parsed = Parsed.from_mnemonic(plain)
    if parsed is None:  # raised out of the handler: the library's error may quote words
        raise ShareInvalid(reason=Text("词数或校验和不对", "the number of words or the checksum is wrong"))
    if parsed.group_count != 1:
        raise ShareInvalid(reason=Text("属于多组份额", "it belongs to several groups"))
    return Share(parsed.index, parsed.member_threshold, plain)


def join(shares: Sequence[Share]) -> bytes:
    """The secret; raises ShareInvalid when the shares do not belong together or are too few."""
    secret: bytes | None = None
    with suppress(MnemonicError):
        secret = combine_mnemonics([each.words for each in shares])
    if secret is None:
        raise ShareInvalid(reason=Text("这些份额不成一组", "the shares do not belong together"))
    return secret
