"""Evidence records: thirty years of renewals hold, and every way to break the chain is named."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import core

from tests.evidence.eras import KINDS, by_hash, by_time, day, era
from yinxin.crypto.errors import CertificateRevoked, UnknownIssuer
from yinxin.crypto.suite import INTL, PQ, SHA384, SM
from yinxin.evidence import NotJudged, verify
from yinxin.evidence.record import (
    Ages,
    EvidenceRecord,
    Link,
    MalformedRecord,
    RecordBroken,
    RecordLapsed,
    RenewedTooLate,
    follow,
    joined,
    renewed,
)
from yinxin.evidence.record.tree import root_of
from yinxin.evidence.trust import Trust

pytestmark = pytest.mark.engines("any")

DATA = [f"第 {number} 件".encode() for number in range(5)]
NOW = day(2058)
#: three changes: of hash and key in 2033, of both in 2041, of both in 2049
AGES = Ages(
    {
        "ecdsa-p256": date(2033, 12, 31),
        "sha256": date(2034, 6, 30),
        "sm2": date(2041, 12, 31),
        "sm3": date(2041, 12, 31),
        "sha512": date(2050, 12, 31),
    }
)


@pytest.fixture(scope="module")
def life():
    """What thirty years made: eras, and the records of five things after every renewal, by its time."""
    eras = {
        "ecdsa": era("ecdsa", day(2026), 5),
        "sm": era("sm", day(2033), 6),
        "pq": era("pq", day(2041), 8),
        "p384": era("p384", day(2049), 8),
    }
    records = [EvidenceRecord(((eras["ecdsa"].link(each, day(2026, 11)),),)) for each in DATA]
    made = [(day(2026, 11), records)]
    last = eras["ecdsa"]
    for at, name, kind in (
        (day(2030, 6), "ecdsa", "time"),
        (day(2033, 9), "sm", "hash"),
        (day(2038, 6), "sm", "time"),
        (day(2041, 9), "pq", "hash"),
        (day(2048, 6), "pq", "time"),
        (day(2050, 6), "p384", "hash"),
        (day(2056, 6), "p384", "time"),
    ):
        by = eras[name]
        if kind == "time":
            by.begin(at, 8, KINDS[name][0])
            records = [by_time(each, by, at, before=last) for each in records]
        else:
            records = by_hash(records, DATA, by, at, before=last)
        made.append((at, records))
        last = by
    return eras, made


@pytest.fixture(scope="module")
def roots(life):
    return tuple(each.root for each in life[0].values())


@pytest.fixture(scope="module")
def record(life):
    return life[1][-1][1][2]


@pytest.fixture
def check(roots):
    def check(record, data=DATA[2], at=NOW, ages=AGES):
        held = []
        return follow(record, data, roots, ages, at=at, held=held), held

    return check


def test_thirty_years_with_three_changes_of_algorithm(life, check, record):
    for (at, records), (following, _) in pairwise(life[1]):
        assert check(records[4], DATA[4], at)[0].since == day(2026, 11)
        assert check(records[0], DATA[0], following)[0].since == day(2026, 11)
        # who did not renew has nothing left some years on
        with pytest.raises(RecordLapsed):
            check(records[0], DATA[0], day(2058))
    found, held = check(record, at=day(2058))
    assert found.until[0] == day(2056, 6) + 8 * timedelta(days=365) + timedelta(seconds=1)
    assert len(held) == 8
    assert not any(isinstance(each, NotJudged) for each in held)
    assert "a new hash of data and old chains (sm3, sm2)" in held[2].en
    assert [len(chain) for chain in record.chains] == [2, 2, 2, 2]
    assert [chain[0].hash for chain in record.chains] == [INTL.hash, SM.hash, PQ.hash, SHA384]


def test_it_is_one_spelling(record):
    data = record.encode()
    assert EvidenceRecord.decode(data).encode() == data
    for broken in (b"", data[:-1], data + b"\0", data[2:], data.replace(b"\x02\x01\x01", b"\x02\x01\x02", 1)):
        with pytest.raises(MalformedRecord):
            EvidenceRecord.decode(broken)
    with pytest.raises(MalformedRecord):
        EvidenceRecord.decode(EvidenceRecord(((),)).encode())


def test_no_octet_of_a_record_changes_unnoticed(life, check):
    record = life[1][2][1][2]  # two chains
    data, at = record.encode(), day(2034)
    check(EvidenceRecord.decode(data), at=at)
    refused = 0
    for place in range(0, len(data), 41):
        changed = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
        try:
            _, held = check(EvidenceRecord.decode(changed), at=at)
        except Exception:  # noqa: BLE001 - any refusal will do here; which, the other tests say
            refused += 1
        else:
            # a list that can no longer be used says nothing, and that is told
            assert any(isinstance(each, NotJudged) for each in held), place
    assert refused > len(data) / 41 * 0.5


class TestBreaks:
    """Each is refused, and says which link."""

    def broken(self, check, record, link, **more):
        with pytest.raises(RecordBroken) as caught:
            check(record, **more)
        assert caught.value.facts["link"] == link
        return caught.value.facts["what"].en

    def test_other_data(self, check, record):
        assert "other data" in self.broken(check, record, 1, data=DATA[3])

    def test_dropped_within_a_chain(self, check, record):
        first, second, *rest = record.chains
        self.broken(check, EvidenceRecord((first, second[1:], *rest)), 3)
        self.broken(check, EvidenceRecord((first[1:], second, *rest)), 1)
        self.broken(check, EvidenceRecord((first[:1], second, *rest)), 2)

    def test_dropped_chain(self, check, record):
        first, _, *rest = record.chains
        assert "left out" in self.broken(check, EvidenceRecord((first, *rest)), 3)

    def test_reordered(self, check, record):
        first, second, third, fourth = record.chains
        self.broken(check, EvidenceRecord((first, third, second, fourth)), 5)
        assert "earlier" in self.broken(check, EvidenceRecord((first, second[::-1], third, fourth)), 4)

    def test_over_other_octets(self, check, life, record):
        """A renewal of another record, put in here."""
        eras, made = life
        others = made[-1][1][0]
        mixed = EvidenceRecord((*record.chains[:-1], others.chains[-1]))
        assert "not over the one before" in self.broken(check, mixed, 7)
        strange = Link(eras["p384"].token(b"anything", day(2057)), ())
        self.broken(check, EvidenceRecord((*record.chains[:-1], (*record.chains[-1], strange))), 9)

    def test_backdated(self, check, life):
        eras, made = life
        records = made[0][1]
        before = by_time(records[2], eras["ecdsa"], day(2026, 10))
        assert "earlier" in self.broken(check, before, 2, at=day(2027))
        assert "later" in self.broken(check, records[2], 1, at=day(2026, 6))

    def test_another_hash_within_a_chain(self, check, life):
        eras, made = life
        record = made[2][1][2]
        link = eras["pq"].link(record.last.token.der, day(2041, 6))
        grown = EvidenceRecord((record.chains[0], (*record.chains[1], link)))
        assert "another hash" in self.broken(check, grown, 4, at=day(2042))
        with pytest.raises(RecordBroken):
            renewed(record, link, opens=False)


def test_renewed_after_the_certificate_had_expired():
    by, at = era("ecdsa", day(2026), 2), day(2026, 6)
    record = EvidenceRecord(((by.link(b"x", at),),))
    late = era("ecdsa", day(2028, 6), 5)
    after = by_time(record, late, day(2028, 9), before=by)
    with pytest.raises(RenewedTooLate) as caught:
        follow(after, b"x", (by.root, late.root), Ages({}), at=day(2029), held=[])
    assert caught.value.facts["link"] == 2
    assert "时间戳 ecdsa" in caught.value.facts["what"]
    early = by_time(record, era_ := era("ecdsa", day(2027, 6), 5), day(2027, 9), before=by)
    assert follow(early, b"x", (by.root, era_.root), Ages({}), at=day(2029), held=[]).since == at


def test_renewed_after_an_algorithm_was_refused(check, life):
    """The key of a signature ends any link; the hash of a chain only the chain."""
    records = life[1][2][1]
    with pytest.raises(RenewedTooLate) as caught:
        check(records[2], at=day(2034), ages=Ages({"ecdsa-p256": date(2033, 1, 31)}))
    assert (caught.value.facts["link"], caught.value.facts["what"]) == (3, "ecdsa-p256")
    with pytest.raises(RenewedTooLate) as caught:
        check(records[2], at=day(2034), ages=Ages({"sha256": date(2033, 8, 31)}))
    assert (caught.value.facts["link"], caught.value.facts["what"]) == (3, "sha256")
    check(records[2], at=day(2034), ages=Ages({"sha256": date(2033, 9, 1)}))
    with pytest.raises(RecordLapsed) as caught:
        check(records[2], at=day(2034), ages=Ages({"sm3": date(2033, 12, 31)}))
    assert caught.value.facts["what"] == "sm3"


def test_a_timestamp_renewal_does_not_mend_a_hash():
    """New signatures over a hash that fails prove nothing of the data."""
    by = era("ecdsa", day(2026), 20)
    strong = era("pq", day(2026), 20)
    record = EvidenceRecord(((by.link(b"x", day(2027)),),))
    record = by_time(record, strong, day(2028), before=by)
    roots, ages = (by.root, strong.root), Ages({"sha256": date(2028, 12, 31)})
    assert follow(record, b"x", roots, ages, at=day(2028, 6), held=[])
    with pytest.raises(RecordLapsed) as caught:
        follow(record, b"x", roots, ages, at=day(2029, 6), held=[])
    assert caught.value.facts["what"] == "sha256"


def test_revoked_before_it_was_renewed():
    by, strong = era("ecdsa", day(2026), 9), era("sm", day(2026), 9)
    record = EvidenceRecord(((by.link(b"x", day(2027)),),))
    good = by_time(record, by, day(2028))
    assert follow(good, b"x", (by.root,), Ages({}), at=day(2028, 6), held=[])
    by.revoke(day(2027, 6))
    late = by_time(record, strong, day(2028), before=by)
    with pytest.raises(CertificateRevoked):
        follow(late, b"x", (by.root, strong.root), Ages({}), at=day(2028, 6), held=[])


def test_what_nobody_said_of_revocation_is_told():
    by = era("ecdsa", day(2026), 9)
    record = EvidenceRecord(((Link(by.token(b"x", day(2027))),),))
    held = []
    follow(record, b"x", (by.root,), Ages({}), at=day(2028), held=held)
    assert [isinstance(each, NotJudged) for each in held] == [True, False]
    with pytest.raises(UnknownIssuer):
        follow(record, b"x", (era("ecdsa", day(2026)).root,), Ages({}), at=day(2028), held=[])


def test_a_revocation_on_record_is_heard_where_another_statement_is_missing():
    """The authority was revoked between its timestamp and the renewal; of the one above it nothing is said.

    Seen to fail when whatever was missing ended the judging of the whole path.
    """
    by, strong = era("ecdsa", day(2026), 9), era("sm", day(2026), 9)
    between, above = by.below("中间 ecdsa", day(2026), 9)
    first = Link(by.token(b"x", day(2027)), (), (above.der,), ())
    record = EvidenceRecord(((first,),))

    def renewed_with(crl):
        after = Link(strong.token(record.last.token.der, day(2028), record.last.hash), (), (), (crl,))
        held = []
        follow(
            renewed(record, after, opens=False),
            b"x",
            (by.root, strong.root),
            Ages({}),
            at=day(2028, 6),
            held=held,
        )
        return held

    assert any(isinstance(each, NotJudged) for each in renewed_with(by.crl_of(between, above, day(2028))))
    by.revoke(day(2027, 6))
    with pytest.raises(CertificateRevoked):
        renewed_with(by.crl_of(between, above, day(2028)))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_one_timestamp_for_many(count):
    items = [bytes([number]) * 3 for number in range(count)]
    message, paths = joined(SM.hash, items)
    for item, path in zip(items, paths, strict=True):
        assert root_of(SM.hash, SM.hash.digest(item), path) == SM.hash.digest(message)
    if count > 1:
        with pytest.raises(ValueError, match="not a path"):
            root_of(SM.hash, SM.hash.digest(b"other"), paths[0])
        with pytest.raises(ValueError, match="not a path"):
            root_of(SM.hash, SM.hash.digest(items[0]), (paths[0][0][::-1],))


def test_read_by_others(life, check, tmp_path, openssl):
    """The form of RFC 4998 as asn1crypto reads it by its own description, and each token by OpenSSL, over what the RFC says."""

    class Hashes(core.SequenceOf):
        _child_spec = core.OctetString

    class Tree(core.SequenceOf):
        _child_spec = Hashes

    class Attributes(core.SetOf):
        _child_spec = asn1_cms.CMSAttribute

    class Infos(core.SequenceOf):
        _child_spec = asn1_cms.CMSAttribute

    class ArchiveTimeStamp(core.Sequence):
        _fields = [  # noqa: RUF012 - as asn1crypto has it
            ("digest_algorithm", asn1_cms.DigestAlgorithm, {"implicit": 0, "optional": True}),
            ("attributes", Attributes, {"implicit": 1, "optional": True}),
            ("reduced_hash_tree", Tree, {"implicit": 2, "optional": True}),
            ("time_stamp", asn1_cms.ContentInfo),
        ]

    class Chain(core.SequenceOf):
        _child_spec = ArchiveTimeStamp

    class Chains(core.SequenceOf):
        _child_spec = Chain

    class Algorithms(core.SequenceOf):
        _child_spec = asn1_cms.DigestAlgorithm

    class Record(core.Sequence):
        _fields = [  # noqa: RUF012 - the same
            ("version", core.Integer),
            ("digest_algorithms", Algorithms),
            ("crypto_infos", Infos, {"implicit": 0, "optional": True}),
            ("encryption_info", core.Sequence, {"implicit": 1, "optional": True}),
            ("sequence", Chains),
        ]

    eras, made = life
    record = made[3][1][2]
    read = Record.load(record.encode(), strict=True)
    assert next(each["algorithm"].native for each in read["digest_algorithms"]) == "sha256"
    first, second = read["sequence"]
    data = DATA[2]
    tokens = [each["time_stamp"].dump() for chain in (first, second) for each in chain]
    digest = INTL.hash.digest(data)
    assert first[0]["reduced_hash_tree"].native is None
    new = SM.hash.digest(SM.hash.digest(data) + SM.hash.digest(Chains([first]).dump()))
    group, *above = [list(each) for each in second[0]["reduced_hash_tree"].native]
    assert new in group
    node = SM.hash.digest(b"".join(sorted(group)))
    for each in above:
        node = SM.hash.digest(b"".join(sorted([*each, node])))
    for number, (token, what, kind) in enumerate(
        (
            (tokens[0], digest, "ecdsa"),
            (tokens[1], INTL.hash.digest(tokens[0]), "ecdsa"),
            (tokens[2], node, "sm"),
            (tokens[3], SM.hash.digest(tokens[2]), "sm"),
        )
    ):
        (tmp_path / "token").write_bytes(token)
        text = openssl("ts", "-reply", "-token_in", "-in", tmp_path / "token", "-token_out", "-text")
        hexed = "".join(
            line.split(" - ")[1][:48].replace("-", " ").replace(" ", "")
            for line in text.splitlines()
            if line.lstrip().startswith("00") and " - " in line
        )
        assert what.hex() in hexed, number
        if kind == "ecdsa":
            (tmp_path / "root").write_text(eras[kind].root.pem)
            at = int(record.links[number].token.at.timestamp())
            openssl(
                *("ts", "-verify", "-digest", what.hex(), "-token_in", "-in", tmp_path / "token"),
                *("-CAfile", tmp_path / "root", "-attime", str(at)),
            )


def test_any_file_with_its_record(life, roots, record):
    held = []
    trust = Trust(roots, (), ages=AGES)
    verify(DATA[2], trust, at=day(2058), held=held, record=record.encode())
    assert isinstance(held[-1], NotJudged)
    assert "since 2026-11-01" in held[-1].en
    with pytest.raises(RecordBroken):
        verify(DATA[1], trust, at=day(2058), held=[], record=record.encode())


def test_the_readers_own_table(tmp_path, life, roots):
    (tmp_path / "a.root.pem").write_text(roots[0].pem)
    (tmp_path / "algorithms.toml").write_text("[until]\nsha256 = 2028-12-31\n")
    ages = Ages.load(tmp_path / "algorithms.toml")
    assert ages.end("sha256") == day(2029)
    assert ages.end("ecdsa-p256") == day(2036)
    assert ages.end("sm3") is None
    for text in ("[until]\nsha256 = 3\n", "until = 3", "until = ["):
        (tmp_path / "algorithms.toml").write_text(text)
        with pytest.raises(ValueError):
            Ages.load(tmp_path / "algorithms.toml")
