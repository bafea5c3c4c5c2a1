"""Commitments to personal fields (`yinxin.personal`), for the verifier that is one file."""

import hashlib
import json
import unicodedata
from typing import Any

from yinxin.evidence.standalone.saying import Broken, Said

#: what the fields are called
TITLES = {
    "person_name": ("姓名", "name of a person"),
    "contact": ("联系方式", "contact data"),
    "identity_number": ("证件号码", "identity number"),
    "network_address": ("网络地址", "network address"),
    "file_name": ("文件名", "name of a file"),
    "grounds": ("理由", "grounds, in free text"),
    "note": ("说明", "note, in free text"),
}


def commitment(salt: bytes, entry: str, name: str, value: str) -> str:
    """The SHA-256 that an entry holds of one of its personal fields, hexadecimal."""
    said = json.dumps(["yinxin-personal@v1", entry, name, value], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(salt + said.encode()).hexdigest()


def opened(event: dict[str, Any], openings: dict[str, Any], withheld: dict[str, int]) -> Said:
    """The opened fields of an entry, each held against it; those that are not are counted."""
    block = event.get("personal", {"v": 1, "fields": {}})
    if type(block["v"]) is not int or block["v"] != 1:
        raise ValueError("of another version")
    if not openings.keys() <= block["fields"].keys():
        raise Broken("开示了记录中没有的字段", "a field is opened that the entry does not commit to")
    told: Said = []
    for name, committed in block["fields"].items():
        if name not in openings:
            withheld[name] = withheld.get(name, 0) + 1
            continue
        if type(committed["sha256"]) is not str:
            raise ValueError("no commitment")
        salt, value = bytes.fromhex(openings[name]["salt"]), openings[name]["value"]
        if openings[name] != {"salt": salt.hex(), "value": value}:
            raise ValueError("another spelling")
        if len(salt) != 16 or commitment(salt, event["id"], name, value) != committed["sha256"]:
            raise Broken(
                f"记录 {event['id']} 的“{name}”与记录中的承诺不符",
                f"the {name} given for entry {event['id']} is not what the entry commits to",
            )
        spelt = (
            value if value.isprintable() and unicodedata.is_normalized("NFC", value) else ascii(value)[1:-1]
        )
        title = TITLES.get(name, (name, name))
        told.append(
            (f"{title[0]}与记录中的承诺相符：{spelt}", f"{title[1]}, as the entry commits to: {spelt}")
        )
    return told
