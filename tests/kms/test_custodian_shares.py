"""Secrets under custodians' shares: split, sealed, and gathered again."""

import json
import stat
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from shamir_mnemonic import combine_mnemonics
from shamir_mnemonic.share import Share as Parsed

from kms.custodians.errors import (
    NoCustodians,
    Sealed,
    SealedFileAltered,
    SecretNotSealed,
    ShareForeign,
    ShareInvalid,
    ShareTwice,
    TooManyShares,
)
from kms.custodians.gather import Gathering
from kms.custodians.sealed import FILE, SealedSet
from kms.custodians.shares import join, read_share, split
from kms.custodians.source import CustodianSecrets
from kms.secrets import HSM_PIN
from yinxin import canonical
from yinxin.clock import ManualClock

from .custodian_sets import KEY, SECRETS, START, a_set

pytestmark = pytest.mark.engines("any")

VECTORS = json.loads((Path(__file__).parent / "slip39_vectors.json").read_text("ascii"))


# --- SLIP-0039 ---


@pytest.mark.parametrize(("name", "mnemonics", "secret"), VECTORS, ids=[each[0] for each in VECTORS])
def test_the_official_vectors(name: str, mnemonics: list[str], secret: str) -> None:
    """Sets of one group are joined or refused as the standard says; what belongs to several groups is none of ours."""
    spelt = [each.upper().replace(" ", "\n") for each in mnemonics]
    several = secret and any(Parsed.from_mnemonic(each).group_count != 1 for each in mnemonics)
    if several or not secret:
        with pytest.raises(ShareInvalid, match="several groups" if several else "."):
            join([read_share(each) for each in spelt])
        return
    shares = [read_share(each) for each in spelt]
    assert combine_mnemonics([each.words for each in shares], b"TREZOR").hex() == secret
    assert len(join(shares)) == len(bytes.fromhex(secret))


@pytest.mark.parametrize(("threshold", "count"), [(2, 2), (2, 3), (3, 5)])
def test_so_many_are_enough_and_fewer_are_not(threshold: int, count: int) -> None:
    shares = split(KEY, threshold, count)
    assert len({each.words for each in shares}) == count
    assert all(len(each.words.split()) == 33 for each in shares)
    for some in combinations(shares, threshold):
        assert join(some) == KEY
    for few in combinations(shares, threshold - 1):
        with pytest.raises(ShareInvalid):
            join(few)


def test_a_share_shows_itself_to_nobody_by_accident() -> None:
    share = split(KEY, 2, 2)[0]
    word = share.words.split()[5]
    assert word not in repr(share)
    wrong = share.words.split()
    wrong[6] = "squirrel"
    with pytest.raises(ShareInvalid, match="word 7") as refused:
        read_share(" ".join(wrong))
    wrong[6] = "academic" if share.words.split()[6] != "academic" else "acid"
    with pytest.raises(ShareInvalid, match="checksum") as other:
        read_share(" ".join(wrong))
    for error in (refused.value, other.value):
        assert "squirrel" not in str(error)
        assert word not in f"{error} {error.__context__!r} {error.__cause__!r}"


# --- the sealed file ---


def test_the_file_is_one_spelling_and_holds_nothing_open(tmp_path: Path) -> None:
    sealed, _ = a_set()
    file = tmp_path / "secrets" / FILE
    sealed.write(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"hush" not in file.read_bytes()
    assert SealedSet.load(file) == sealed
    assert SealedSet.load(file).open(KEY, file) == SECRETS
    with pytest.raises(SealedFileAltered):
        sealed.open(bytes(32), file)


@pytest.mark.parametrize("field", ["set", "made", "threshold", "custodians", "sealed", "format", "suite"])
def test_a_change_of_anything_is_found(tmp_path: Path, field: str) -> None:
    """Whoever lowers the threshold or names another custodian changes what the secrets are bound to."""
    file = tmp_path / FILE
    a_set()[0].write(file)
    said = canonical.decode(file.read_bytes())
    said[field] = {
        "threshold": 3,
        "custodians": [{**said["custodians"][0], "person": "p-mallory"}, *said["custodians"][1:]],
        "sealed": said["sealed"][:-8] + "AAAAAAA=",
    }.get(field, "other")
    file.write_bytes(canonical.encode(said))
    with pytest.raises(SealedFileAltered):
        SealedSet.load(file).open(KEY, file)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"set": 1}', b"x" * 100_000])
def test_what_is_no_sealed_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(SealedFileAltered):
        SealedSet.load(tmp_path / FILE)
    with pytest.raises(NoCustodians):
        SealedSet.load(tmp_path / "nowhere")


def test_the_source_is_closed_until_the_key_is_there(tmp_path: Path) -> None:
    file = tmp_path / FILE
    sealed, _ = a_set()
    sealed.write(file)
    source = CustodianSecrets(file)
    with pytest.raises(Sealed) as refused:
        source.read(HSM_PIN)
    assert refused.value.retryable
    with pytest.raises(SealedFileAltered):
        source.unseal(bytes(32))
    source.unseal(KEY)
    with source.read(HSM_PIN) as secret:
        assert (secret.text(), secret.state) == ("hush-hush", "custodians:set-1")
    with pytest.raises(SecretNotSealed, match="tls-server"):
        source.read("tls-server.password")
    a_set(key=b"n" * 32, name="set-2")[0].write(file)
    with pytest.raises(Sealed):
        source.read(HSM_PIN)
    source.seal()
    assert not source.open


# --- gathering ---


def test_shares_come_in_and_the_key_with_them() -> None:
    sealed, shares = a_set(3, 5)
    gathering = Gathering(sealed, ManualClock(START), timedelta(hours=2))
    gathering.enter(shares[4].words)
    assert gathering.enter(f"  {shares[0].words.upper()}\n").person == "p-1"
    state = gathering.state()
    assert [(each["number"], each["person"]) for each in state["entered"]] == [(5, "p-5"), (1, "p-1")]
    assert (state["missing"], state["threshold"]) == (1, 3)
    with pytest.raises(ShareTwice, match="Share 5") as refused:
        gathering.enter(shares[4].words)
    assert refused.value.facts["missing"] == 1
    gathering.enter(shares[2].words)
    assert not any(each.words.split()[4] in json.dumps(gathering.state()) for each in shares)
    assert gathering.key() == KEY
    assert gathering._shares == {}


def test_a_share_of_another_set() -> None:
    sealed, shares = a_set()
    gathering = Gathering(sealed, ManualClock(START), timedelta(hours=2))
    other = split(KEY, 2, 3)[0]  # the same key, split once more
    with pytest.raises(ShareForeign, match="set-1"):
        gathering.enter(other.words)
    gathering.enter(shares[1].words)
    assert gathering.missing == 1


def test_a_share_does_not_wait_for_ever() -> None:
    sealed, shares = a_set()
    clock = ManualClock(START)
    gathering = Gathering(sealed, clock, timedelta(hours=2))
    gathering.enter(shares[0].words)
    clock.advance(timedelta(hours=1, minutes=59))
    assert gathering.missing == 1
    clock.advance(timedelta(minutes=1))
    gathering.enter(shares[1].words)
    assert gathering.state()["expired"] == 1
    assert gathering.missing == 1
    gathering.enter(shares[0].words)
    assert gathering.key() == KEY


def test_wrong_shares_beyond_measure_keep_nobody_out() -> None:
    """Seen to fail when a right share is counted against the measure, and without the measure."""
    sealed, shares = a_set()
    clock = ManualClock(START)
    gathering = Gathering(sealed, clock, timedelta(hours=2))
    for _ in range(10):
        with pytest.raises(ShareInvalid):
            gathering.enter("no words of ours")
    for _ in range(500):
        with pytest.raises(TooManyShares):
            gathering.enter("no words of ours")
    gathering.enter(shares[0].words)
    assert len(gathering.tried) == 11, "what is passed over costs no memory and no record"
    assert gathering.state()["refused"] == 510
    clock.advance(timedelta(minutes=1))
    with pytest.raises(ShareInvalid):
        gathering.enter("no words of ours")
