import pytest

from yinxin.crypto import der
from yinxin.crypto.errors import MalformedName
from yinxin.crypto.names import Name


def test_a_name_says_the_same_to_everybody():
    name = Name.of(
        [
            ("C", "CN"),
            ("ST", "某省"),
            ("O", "某省人民政府"),
            ("OU", "办公厅"),
            ("CN", "张三 𬱖"),
            ("serialNumber", "A-1"),
        ]
    )
    assert name.text == "serialNumber=A-1, CN=张三 𬱖, OU=办公厅, O=某省人民政府, ST=某省, C=CN"
    assert name.as_dict()["commonName"] == "张三 𬱖"
    assert name.get("CN") == name.common_name == "张三 𬱖"
    assert Name(name.der) == name
    assert hash(Name(name.der)) == hash(name)


def test_attributes_by_long_name_short_name_and_number():
    assert Name.of({"commonName": "x"}) == Name.of({"CN": "x"}) == Name.of({"2.5.4.3": "x"})
    assert Name.of({"1.2.156.10260.4.1.1": "110101"}).pairs == (("1.2.156.10260.4.1.1", "110101"),)


def test_encodings_follow_rfc_5280():
    value = {}
    for name, text in (("C", "CN"), ("serialNumber", "1"), ("E", "a@b.cn"), ("CN", "a")):
        (rdn,) = der.elements(Name.of({name: text}).der)
        (pair,) = der.elements(rdn, der.SET)
        value[name] = der.elements(pair)[1][0]
    assert value == {"C": der.PRINTABLE, "serialNumber": der.PRINTABLE, "E": der.IA5, "CN": der.UTF8}


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        ("C", "cn"), ("C", "CHN"), ("CN", ""), ("CN", "x" * 65), ("CN", "a\x00b"), ("CN", "a\nb"), ("CN", " a"),
        ("E", "张@b.cn"), ("serialNumber", "张"), ("noSuchThing", "x"), ("CN", "\u202eevil"),
    ],
)  # fmt: skip
def test_what_must_not_stand_in_a_name(attribute, text):
    with pytest.raises(MalformedName) as caught:
        Name.of({attribute: text})
    assert attribute in caught.value.text("zh")


def test_separators_in_values_are_seen():
    assert Name.of({"CN": "a, O=b"}).text == "CN=a\\, O\\=b"


@pytest.mark.parametrize("data", ["", "3000ff", "300431023000", "300b3109300706035504030500"])
def test_junk_is_no_name(data):
    with pytest.raises(MalformedName):
        Name(bytes.fromhex(data))


def test_old_string_types_are_read():
    name = der.sequence(
        der.set_of([der.sequence(der.oid("2.5.4.3"), der.tlv(0x1E, "张三".encode("utf-16-be")))])
    )
    assert Name(name).common_name == "张三"
