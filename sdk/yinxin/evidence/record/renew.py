"""Renewing: what the next link must be over, for one record or for many under one timestamp (RFC 4998 5.2)."""

from collections.abc import Sequence

from yinxin.crypto.suite import HashAlgorithm
from yinxin.evidence.record.errors import RecordBroken
from yinxin.evidence.record.form import EvidenceRecord, Link, Path, encode_chains
from yinxin.evidence.record.tree import grow
from yinxin.text import Text

ANOTHER_HASH = Text("同一条链内换了摘要算法", "it has another hash than its chain")


def hash_preimage(hash_: HashAlgorithm, data: bytes, chains: Sequence[Sequence[Link]]) -> bytes:
    """What the first link of a new chain is over: the new hash of the data, then that of all chains so far (5.2, 4)."""
    return hash_.digest(data) + hash_.digest(encode_chains(chains))


def joined(hash_: HashAlgorithm, preimages: Sequence[bytes]) -> tuple[bytes, list[Path]]:
    """What one timestamp must be over to cover all of these, and each one's path to it; at least one must be given."""
    if len(preimages) == 1:
        return preimages[0], [()]
    return grow(hash_, [hash_.digest(each) for each in preimages])


def renewed(record: EvidenceRecord, link: Link, *, opens: bool) -> EvidenceRecord:
    """The record with one more link; with `opens` it begins a new chain. Raises RecordBroken for another hash within a chain."""
    if opens:
        return EvidenceRecord((*record.chains, (link,)))
    if link.hash is not record.last.hash:
        raise RecordBroken(link=len(record.links) + 1, what=ANOTHER_HASH)
    return EvidenceRecord((*record.chains[:-1], (*record.chains[-1], link)))
