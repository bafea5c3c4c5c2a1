"""When two names are one, and which names an authority may have issued."""

import pytest

from yinxin.crypto import der, oids
from yinxin.crypto.constraints import NameConstraints
from yinxin.crypto.errors import NameNotJudged, NameNotPermitted, PathTooComplex
from yinxin.crypto.folding import fold
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.path import Usage
from yinxin.crypto.path.names import check
from yinxin.crypto.path.work import Kind, Work

ORGAN = Name.of([("C", "CN"), ("O", "某市人民政府")])


def name(*pairs):
    """A name from (attribute, DER string) pairs, however they are written."""
    return Name(der.sequence(*(der.set_of([der.sequence(der.oid(oid), text)]) for oid, text in pairs)))


CN = "2.5.4.3"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Good CA", "good  ca ", True),
        ("Good CA", "Good-CA", False),
        ("ＣＡ　一", "ca 一", True),
        ("Stra\u00dfe", "STRASSE", True),
        ("a\u00adb\u200d", "ab", True),
        ("a\u0301", "\u00e1", True),
        ("\u212b", "\u00e5", True),
        ("İ", "i\u0307", True),
        ("某省", "某市", False),
        ("a\u2003b", "a b", True),
        ("a\ue000", "A\ue000", False),
        ("a\ue000", "a\ue000", True),
        ("", "  ", True),
    ],
)
def test_texts_that_are_one(one, other, same):
    """Seen to fail with case folded by `lower` (ß)."""
    assert (fold(one) == fold(other)) is same


def test_kinds_of_string_do_not_matter_and_order_does():
    utf8, printable = name((CN, der.utf8("Root"))), name((CN, der.printable("root")))
    bmp, universal = (
        name((CN, der.tlv(0x1E, "ROOT".encode("utf-16-be")))),
        name((CN, der.tlv(0x1C, "Root ".encode("utf-32-be")))),
    )
    for other in (printable, bmp, universal):
        assert utf8 != other
        assert utf8.matches(other)
        assert hash(utf8.folded) == hash(other.folded)
    two = name((CN, der.utf8("a")), ("2.5.4.10", der.utf8("b")))
    assert not two.matches(name(("2.5.4.10", der.utf8("b")), (CN, der.utf8("a"))))
    parts = [der.sequence(der.oid(CN), der.utf8("a")), der.sequence(der.oid("2.5.4.10"), der.utf8("b"))]
    assert not two.matches(Name(der.sequence(der.set_of(parts))))


def test_a_path_chains_over_another_writing_of_the_name(hierarchy, at):
    subject = Name.of({"CN": "Writing  CA"})
    ca = hierarchy.issue(hierarchy.authority(subject), by=hierarchy.root)
    shouting = name((CN, der.printable("WRITING CA")))
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=ca).certificate
    again = hierarchy.issue(hierarchy.authority(shouting), by=hierarchy.root, key=ca.key).certificate
    found = hierarchy.judge(leaf, at, intermediates=(again,))
    assert found.certificates[1] == again


def narrowed(hierarchy, constraints, **leaf):
    """A certificate below an authority with these constraints, and what is needed to judge it."""
    ca = hierarchy.issue(
        hierarchy.authority(Name.of({"CN": "窄 CA"}), name_constraints=constraints), by=hierarchy.root
    )
    subject = leaf.pop("subject", Name.of({"CN": "x"}))
    return hierarchy.issue(hierarchy.template(subject, **leaf), by=ca).certificate, (ca.certificate,)


GOV, SECRET = ("dns", "gov.example"), ("dns", "secret.gov.example")


@pytest.mark.parametrize(
    ("permitted", "excluded", "names", "good"),
    [
        ([GOV], [], [("dns", "gov.example")], True),
        ([GOV], [], [("dns", "a.b.GOV.example")], True),
        ([GOV], [], [("dns", "mygov.example")], False),
        ([GOV], [], [("dns", "a.gov.example"), ("dns", "evil.example")], False),
        ([("dns", ".gov.example")], [], [("dns", "gov.example")], False),
        ([("dns", ".gov.example")], [], [("dns", "a.gov.example")], True),
        ([("dns", "")], [], [("dns", "any.example")], True),
        ([], [("dns", "")], [("dns", "any.example")], False),
        ([GOV], [], [("dns", "*.gov.example")], True),
        ([("dns", "a.gov.example")], [], [("dns", "*.gov.example")], False),
        ([GOV], [SECRET], [("dns", "a.secret.gov.example")], False),
        ([GOV], [SECRET], [("dns", "*.gov.example")], False),
        ([GOV], [SECRET], [("dns", "*.a.gov.example")], True),
        ([GOV], [], [("email", "a@evil.example"), ("ip", "10.0.0.1")], True),
        ([("email", "gov.example")], [], [("email", "a@gov.example")], True),
        ([("email", "gov.example")], [], [("email", "a@mail.gov.example")], False),
        ([("email", ".gov.example")], [], [("email", "a@mail.GOV.example")], True),
        ([("email", ".gov.example")], [], [("email", "a@gov.example")], False),
        ([("email", "a@gov.example")], [], [("email", "a@Gov.Example")], True),
        ([("email", "a@gov.example")], [], [("email", "A@gov.example")], False),
        ([("uri", ".gov.example")], [], [("uri", "https://u@w.gov.example:8443/x?y")], True),
        ([("uri", ".gov.example")], [], [("uri", "https://w.gov.example@evil.example/")], False),
        ([("uri", "gov.example")], [], [("uri", "ldap://w.gov.example/")], False),
        ([("ip", "10.0.0.0/8")], [], [("ip", "10.255.0.1")], True),
        ([("ip", "10.0.0.0/8")], [], [("ip", "11.0.0.1")], False),
        ([("ip", "10.0.0.0/8")], [], [("ip", "2001:db8::1")], False),
        ([("ip", "2001:db8::/32")], [("ip", "2001:db8:5::/48")], [("ip", "2001:db8:4::1")], True),
        ([("ip", "2001:db8::/32")], [("ip", "2001:db8:5::/48")], [("ip", "2001:db8:5::1")], False),
        ([], [("ip", "0.0.0.0/0")], [("ip", "192.0.2.1")], False),
        ([("dirname", Name.of({"CN": "X"}).der.hex())], [], [], True),
        ([("dirname", ORGAN.der.hex())], [], [], False),
    ],
)
def test_names_inside_and_outside(intl, at, *, permitted, excluded, names, good):
    """Seen to fail with: the dot before a domain not asked for (mygov), a wildcard held to its parent alone (the third of
    SECRET), a mailbox's domain taken for a host, an address of the other family passed over.
    """
    leaf, pool = narrowed(intl, NameConstraints(tuple(permitted), tuple(excluded)), san=tuple(names))
    if good:
        intl.judge(leaf, at, intermediates=pool, usage=Usage.ANY)
        return
    with pytest.raises(NameNotPermitted) as caught:
        intl.judge(leaf, at, intermediates=pool, usage=Usage.ANY)
    assert caught.value.facts["authority"] == "CN=窄 CA"


def test_the_directory_name_and_the_address_in_the_subject(hierarchy, at):
    inside = Name.of([*ORGAN.pairs, ("CN", "张三"), ("E", "z@gov.example")])
    both = NameConstraints((("dirname", ORGAN.der.hex()), ("email", "gov.example")))
    leaf, pool = narrowed(hierarchy, both, subject=inside)
    hierarchy.judge(leaf, at, intermediates=pool)
    astray = Name.of([*ORGAN.pairs, ("CN", "张三"), ("E", "z@evil.example")])
    for san in ((), (("email", "z@gov.example"),)):
        leaf, pool = narrowed(hierarchy, both, subject=astray, san=san)
        with pytest.raises(NameNotPermitted, match=r"z@evil\.example"):
            hierarchy.judge(leaf, at, intermediates=pool)


OTHER_NAME = der.tlv(0xA0, der.oid("1.2.3") + der.explicit(0, der.utf8("x")))


@pytest.mark.parametrize(
    ("base", "names", "good"),
    [
        (OTHER_NAME, der.sequence(OTHER_NAME), False),
        (OTHER_NAME, der.sequence(der.tlv(0x82, b"a.example")), True),
        (der.tlv(0x88, b"\x2a\x03"), der.sequence(der.tlv(0x88, b"\x2a\x03\x04")), False),
        (der.tlv(0x82, b"gov.example"), der.sequence(der.tlv(0x82, b"not a host.gov.example")), False),
        (der.tlv(0x82, b"gov.example"), der.sequence(der.tlv(0x82, b"-.gov.example")), False),
        (der.tlv(0x81, b"gov.example"), der.sequence(der.tlv(0x81, b"gov.example")), False),
        (der.tlv(0x86, b".gov.example"), der.sequence(der.tlv(0x86, b"urn:x:w.gov.example")), False),
        (der.tlv(0x86, b".gov.example"), der.sequence(der.tlv(0x86, b"http://10.0.0.1/")), False),
        (
            der.tlv(0x86, b".gov.example"),
            der.sequence(der.tlv(0x86, b"http://evil.example\\@w.gov.example/")),
            False,
        ),
    ],
)
@pytest.mark.parametrize("side", [0xA0, 0xA1])
@pytest.mark.parametrize("critical", [True, False])
def test_what_cannot_be_compared_is_refused(intl, at, *, base, names, good, side, critical):
    """Seen to fail with kinds that are not compared passed over, and with the host taken as `urlsplit` finds it."""
    value = der.sequence(der.tlv(side, der.sequence(base)))
    ca = intl.issue(
        intl.authority(
            Name.of({"CN": "窄 CA"}), extensions=(Extension(oids.NAME_CONSTRAINTS, critical, value),)
        ),
        by=intl.root,
    )
    san = Extension(oids.SUBJECT_ALTERNATIVE_NAME, critical=False, value=names)
    leaf = intl.issue(intl.template(Name.of({"CN": "x"}), extensions=(san,)), by=ca).certificate
    if good:
        intl.judge(leaf, at, intermediates=(ca.certificate,))
        return
    with pytest.raises(NameNotJudged):
        intl.judge(leaf, at, intermediates=(ca.certificate,))


def test_the_anchor_and_the_caller_narrow_too(intl, at):
    anchor = intl.self_signed(
        intl.suite, intl.authority(Name.of({"CN": "窄根"}), name_constraints=NameConstraints((GOV,)))
    )
    leaf = intl.issue(
        intl.template(Name.of({"CN": "x"}), san=(("dns", "evil.example"),)), by=anchor
    ).certificate
    with pytest.raises(NameNotPermitted, match="窄根"):
        intl.judge(leaf, at, anchors=(anchor.certificate,))
    free = intl.person(san=(("dns", "evil.example"),)).certificate
    intl.judge(free, at)
    with pytest.raises(NameNotPermitted) as caught:
        intl.judge(free, at, names=NameConstraints((GOV,)))
    assert "核验方" in caught.value.text("zh")


def test_authorities_below_are_held_to_it_and_self_issued_ones_are_not(intl, at):
    """RFC 5280 6.1.3: a key rollover inside a constrained authority keeps that authority's own name."""
    wide = Name.of({"CN": "窄 CA"})
    constraints = NameConstraints((("dirname", ORGAN.der.hex()),))
    old = intl.issue(intl.authority(wide, name_constraints=constraints), by=intl.root)
    new = intl.issue(intl.authority(wide), by=old)
    inside = Name.of([*ORGAN.pairs, ("CN", "x")])
    leaf = intl.issue(intl.template(inside), by=new).certificate
    intl.judge(leaf, at, intermediates=(old.certificate, new.certificate))
    stray = intl.issue(intl.authority(Name.of({"CN": "别名 CA"})), by=old)
    below = intl.issue(intl.template(inside), by=stray).certificate
    with pytest.raises(NameNotPermitted, match="别名"):
        intl.judge(below, at, intermediates=(old.certificate, stray.certificate))


def test_many_names_against_many_constraints_end(intl, at):
    """Seen to fail without `Kind.NAMES`: a hundred thousand times as many comparisons as any honest certificate asks."""
    bases = tuple(("dns", f"d{number}.example") for number in range(1500))
    leaf, pool = narrowed(
        intl, NameConstraints(excluded=bases), san=tuple(("dns", f"n{number}.test") for number in range(1500))
    )
    with pytest.raises(PathTooComplex, match="comparisons of names"):
        intl.judge(leaf, at, intermediates=pool)


def test_constraints_that_compare_with_nothing_are_counted(intl, at):
    """A hostile authority can make hundreds of paths over them. Seen to fail: they were sorted anew for every certificate, uncounted."""
    bases = tuple(("ip", f"10.{number // 256}.{number % 256}.0/24") for number in range(2000))
    leaf, pool = narrowed(intl, NameConstraints(excluded=bases))
    chain, work = intl.judge(leaf, at, intermediates=pool, usage=Usage.ANY).certificates, Work("x")

    def judged():
        for _ in range(Kind.PATHS.limit):
            check(chain, None, work)

    with pytest.raises(PathTooComplex, match="comparisons of names"):
        judged()
