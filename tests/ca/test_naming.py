"""Names that nobody could tell from another, that readers take for something else, or that nobody sees."""

import pytest

from ca.errors import ForeignName, ProfileRefuses
from ca.naming import name, within
from ca.profile import Profile
from ca.profile.texts import _fault, text_fault
from yinxin.crypto.errors import MalformedName
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.names import Name

PROFILE = Profile.model_validate(
    {
        "name": "tried",
        "title": {"zh": "试用", "en": "Tried"},
        "holders": ["service"],
        "keys": ["ecdsa-p256"],
        "days": 1,
        "most_days": 1,
        "key_usage": ["digitalSignature"],
        "subject": {"organizationName": "request?", "commonName": "san?"},
        "san": {"dns": "optional", "email": "optional", "uri": "optional", "ip": "optional"},
    }
)
OWN = {"organ.name": "子县人民政府"}


def named(*san: GeneralName, common: str = "", organ: str = "", domains: tuple[str, ...] = ()) -> tuple[GeneralName, ...]:  # fmt: skip
    pairs = [(attribute, text) for attribute, text in (("O", organ), ("CN", common)) if text]
    return name(Name.of(pairs), san, PROFILE, OWN, domains).san


@pytest.mark.parametrize(
    "text",
    [
        "张\u3164喆",  # a letter that is drawn as nothing
        "张\ufe01喆",  # another drawing of the same character
        "张\U000e0100喆",
        "\u2800",  # the empty Braille cell
        "\u0301喆",  # an accent on nothing
        "\u115f\u1160",
        "e\u0301cole",  # two writings of one text
        "\uf979州市人民政府",  # a second code for a character of the first plane
        "\u0410pple",  # the first letter is Cyrillic
        "p\u03bfrtal",  # an omicron
        "\u13aacme",
        "\u0430\u0301dmin",  # a Cyrillic letter under an accent
        "研究p\u03bfrtal中心",
        "张\u180b喆",  # a Mongolian letter's variant, of no such letter
    ],
)
def test_a_text_that_looks_like_another_or_like_nothing_is_refused(text: str) -> None:
    """Seen to fail: each was written into certificates."""
    assert text_fault(text) is not None
    with pytest.raises(ProfileRefuses, match="commonName"):
        named(common=text)


@pytest.mark.parametrize(
    "text",
    ["张喆", "镕堃昇珺㛃䶮", "𠮷田", "凉州市人民政府（本级）", "阿卜杜·热合曼", "École", "γ射线探测器", "Яков", "三号楼 AP-7", "Ａ座", "O’Neill",
     "阿不都热合曼·买买提", "Ω3与DHA研究中心", "\U0002ebf0\U00031350", "བཀྲ་ཤིས་དོན་གྲུབ", "ئابدۇراخمان", "نى\u200cما", "ᠰᠠᠷ\u180eᠠ ᠭ\u180dᠠ"],
)  # fmt: skip
def test_names_as_people_have_them_are_taken(text: str) -> None:
    """Han of every plane, marks between names, letters of one script in each word, and what shapes letters that are joined.

    The last six, but the Uyghur name, seen to fail: Han parted no words, and nothing passed that is not drawn itself or is younger than Python's Unicode.
    """
    assert text_fault(text) is None
    assert named(common=text) == ()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("dns", "127.1"),
        ("dns", "2130706433"),
        ("dns", "portal.0x7f"),
        ("dns", "a_b.example.gov.cn"),
        ("dns", "ab--cd.example.gov.cn"),
        ("dns", "xn--a.example.gov.cn"),  # no text has this spelling
        ("dns", "xn--portl-7ve.example.gov.cn"),  # a Cyrillic letter among Latin ones
        ("email", "zhang@evil.example@example.gov.cn"),
        ("email", '"zhang"<b>@example.gov.cn'),
        ("email", ".zhang@example.gov.cn"),
        ("email", "zhang@127.1"),
        ("uri", "https://"),
        ("uri", "https://example.gov.cn@evil.example/"),
    ],
)
def test_alternative_names_that_mislead_are_refused_by_kind(kind: str, text: str) -> None:
    """Seen to fail: each was written into certificates."""
    with pytest.raises(ProfileRefuses, match=kind):
        named((kind, text))


def test_alternative_names_as_they_should_be_are_taken() -> None:
    good = (
        ("dns", "a.example.gov.cn"),
        ("dns", "xn--fiqs8s"),
        ("dns", "7.example.gov.cn"),
        ("email", "zhang.zhe+seal@example.gov.cn"),
        ("uri", "urn:uuid:1"),
        ("uri", "https://example.gov.cn/a"),
        ("ip", "2001:db8::1"),
    )
    assert named(*good) == good


def test_what_is_remembered_of_texts_is_short() -> None:
    """Seen to fail: a stranger's texts of any length stayed in memory. Such a text is refused for its length."""
    before = _fault.cache_info().currsize
    assert text_fault("\u3164" * 257) is text_fault("a" * 1000) is None
    assert _fault.cache_info().currsize == before
    with pytest.raises(MalformedName):
        named(common="\u3164" * 257)


def test_a_name_on_record_that_is_refused_is_to_be_put_right_there() -> None:
    """With the code to write, since nobody sees the difference. Seen to fail: it said to correct the request."""
    profile = PROFILE.model_copy(update={"subject": {"commonName": "person.name"}})
    with pytest.raises(ProfileRefuses) as refused:
        name(Name.of([]), (), profile, {"person.name": "张\uf979"}, ())
    told = refused.value.text("en")
    assert "U+51C9 is to stand for U+F979" in told
    assert "correct the record first" in told
    with pytest.raises(ProfileRefuses) as refused:
        named(common="张\uf979")
    assert "record" not in refused.value.text("en")


def test_a_name_that_stands_twice_stands_once() -> None:
    """Some clients list a host twice, or in capitals. Seen to fail: the linter refused what would have been made."""
    host = ("dns", "a.example.gov.cn")
    assert named(host, host, ("dns", "A.Example.gov.cn")) == (host,)


def test_a_common_name_is_one_of_the_hosts_in_every_letter() -> None:
    """The Kelvin sign is a k in lower case. Seen to fail before texts had to be in form NFC."""
    host = ("dns", "k.example.gov.cn")
    assert named(host, common="K.example.gov.cn") == (host,)
    with pytest.raises(ProfileRefuses, match="NFC"):
        named(host, common="\u212a.example.gov.cn")
    with pytest.raises(ForeignName, match="commonName"):
        named(host, common="l.example.gov.cn")


def test_an_organ_is_named_as_it_is_on_record_to_the_letter() -> None:
    assert named(organ="子县人民政府") == ()
    for organ in ("子县人民政府 (本级)", "丑县人民政府", "子县人民政府".replace("子", "孑")):
        with pytest.raises(ForeignName, match="organizationName"):
            named(organ=organ)


def test_a_domain_ends_at_a_label() -> None:
    assert within("a.gov.cn", ("gov.cn",))
    assert within("gov.cn", ("gov.cn",))
    assert not within("evilgov.cn", ("gov.cn",))
    assert not within("gov.cn.evil.example", ("gov.cn",))
    with pytest.raises(ForeignName, match="dns"):
        named(("dns", "evilgov.cn"), domains=("gov.cn",))
