"""What is wrong with a text that a certificate would show: what nobody sees, or takes for something else.

The writer of names has refused control and format characters (bidirectional ones among them, but not a joiner that shapes a letter),
spaces other than the plain one, and outer spaces already. Compared are names without what is invisible and in one form (RFC 5280 7.1, RFC 4518): a certificate is to say
what is compared.
"""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

from yinxin.crypto.shown import is_shown, shapes
from yinxin.text import Text

#: seen as nothing though each is a letter, a mark or a symbol (Unicode, Default_Ignorable_Code_Point; the empty Braille cell)
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(c) for c in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
#: words: Han between letters of other scripts parts them, as spaces do elsewhere
_WORD = re.compile(r"[^\W\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
#: scripts whose letters look like one another
_ALIKE = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE")
#: RFC 5321 4.1.2, without quoted strings: nobody has such an address, and readers take them for two
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
#: a last label that makes an address of a host name, for readers that take 127.1 and 0x7f000001 for one
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)")


#: characters of the longest attribute; more are refused for their number, and what a stranger sends must not fill the memory
_LONGEST = 256


def text_fault(text: str) -> Text | None:
    """What is wrong with an attribute's text; None when all is well, and of one that is too long for any."""
    return None if text.isascii() or len(text) > _LONGEST else _fault(text)


@lru_cache(maxsize=4096)
def _fault(text: str) -> Text | None:
    hidden = (at for at, each in enumerate(text) if each in _INVISIBLE and not shapes(text, at))
    if _is_mark(text[0]) or next(hidden, None) is not None:
        return Text("含有不可见字符", "it has characters that nobody sees")
    if not unicodedata.is_normalized("NFC", text):
        return _in_form(text)
    bare = "".join(each for each in text if not _is_mark(each))
    if any(len(set(map(_alike, word)) - {""}) > 1 for word in _WORD.findall(bare)):
        return Text("一个词中混用形似的字母", "a word mixes letters of scripts that look alike")
    return None


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _in_form(text: str) -> Text:
    """What is to be written instead, where one character is another's second code: readers see no difference."""
    zh, en = "未按 Unicode NFC 规范化", "it is not in Unicode's form NFC"
    for each in text:
        if (wanted := unicodedata.normalize("NFC", each)) != each:
            right = " ".join(f"U+{ord(part):04X}" for part in wanted)
            return Text(
                f"{zh}：U+{ord(each):04X} 应为 {right}", f"{en}: {right} is to stand for U+{ord(each):04X}"
            )
    return Text(f"{zh}，请重新录入", f"{en}: type it anew")


def _alike(character: str) -> str:
    script = unicodedata.name(character, "").partition(" ")[0]
    return script if script in _ALIKE else ""


def host_fault(name: str) -> Text | None:
    """What is wrong with a host name whose form is a domain name's: it would be taken for an address, or for another name."""
    labels = name.lower().split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return Text("看起来是 IP 地址", "it looks like an address")
    if any("_" in each for each in labels):
        return Text("主机名不能含下划线", "a host name has no underscore")
    for each in labels:
        if each[2:4] == "--" and not _is_international(each):
            return Text(f"“{each}”不是有效的国际化域名", f"“{each}” is no internationalized label")
    return None


def _is_international(label: str) -> bool:
    """Whether a label is the one spelling of a text in other letters (RFC 5890 2.3.2.1), and one that can be shown."""
    if not label.startswith("xn--"):
        return False
    try:
        shown = label[4:].encode().decode("punycode")
        again = "xn--" + shown.encode("punycode").decode()
    except UnicodeError:
        return False
    return again == label and not shown.isascii() and is_shown(shown) and text_fault(shown) is None


def mailbox_fault(address: str) -> Text | None:
    """What is wrong with a mail address: the part before its domain, or the domain."""
    local, _, domain = address.rpartition("@")
    if not _MAILBOX.fullmatch(local):
        return Text("“@”之前不是普通的邮箱名", "what stands before the “@” is no plain mailbox")
    return host_fault(domain)


def uri_fault(uri: str) -> Text | None:
    """What is wrong with a URI: it needs something behind its scheme, and is shown whole (RFC 5280 4.2.1.6)."""
    try:
        parts = urlsplit(uri)
        nobody = bool(parts.username or parts.password)
        bare = not (parts.netloc or parts.path)
    except ValueError:
        return Text("不是有效的地址", "it is no URI")
    if bare or nobody or (uri.partition(":")[2].startswith("//") and not parts.hostname):
        return Text("缺少主机，或含有用户名", "it names no host, or a user")
    return None


#: by kind of alternative name
FAULTS = {"dns": host_fault, "email": mailbox_fault, "uri": uri_fault}
