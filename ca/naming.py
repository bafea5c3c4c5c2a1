"""The names that a certificate will say: what was asked for, held against the directory and the profile's rules.

Every refusal names the field, what is wrong with it and what would be right.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ca.errors import ForeignName, ProfileRefuses
from ca.profile import NameRule, Profile
from ca.profile.gmt0015 import IDENTIFIERS
from ca.profile.texts import FAULTS, text_fault
from ca.profile.wildcards import is_wildcard, wildcard_fault
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.names import ATTRIBUTES, Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.suite import SM
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Named:
    """Subject and alternative names as the certificate will have them."""

    subject: Name
    san: tuple[GeneralName, ...]


def name(
    subject: Name,
    san: tuple[GeneralName, ...],
    profile: Profile,
    facts: Mapping[str, str],
    domains: tuple[str, ...],
) -> Named:
    """The names for what was asked for; `domains` are the hosts' that this site certifies (empty: all).

    Raises ProfileRefuses, ForeignName, MalformedName.
    """
    names = _alternative_names(san, profile, domains)
    chosen = _subject(subject, profile, {**facts, **_first_of(names)})
    # where hosts are named, another common name beside them would only mislead
    common, hosts = chosen.common_name, {text for kind, text in names if kind in ("dns", "ip")}
    if hosts and common and common.lower() not in hosts:
        raise ForeignName(field="commonName", asked=common, registered=", ".join(text for _, text in names))
    return Named(chosen, names)


def identify(key: PublicKey, profile: Profile, facts: Mapping[str, str]) -> tuple[Extension, ...]:
    """The identifiers of GM/T 0015 that the profile asks for, in certificates of the national suite; raises ProfileRefuses."""
    if key.suite is not SM:
        return ()
    found = []
    for field, source in profile.gmt0015.items():
        text = facts.get(source.removesuffix("?"))
        if not text and source.endswith("?"):
            continue
        identifier = IDENTIFIERS[field]
        if not text or not identifier.fits(text):
            title = identifier.title
            raise refusal(
                profile,
                field,
                f"登记信息中没有有效的{title.zh}",
                f"the directory holds no valid {title.en}",
            )
        found.append(identifier.write(text))
    return tuple(found)


def refusal(profile: Profile, field: str, zh: str, en: str) -> ProfileRefuses:
    """What a profile does not allow, in words."""
    return ProfileRefuses(profile=profile.name, field=field, reason=Text(zh, en))


def within(name: str, domains: tuple[str, ...]) -> bool:
    """Whether a host name is one of these domains or lies below one."""
    return any(name == domain or name.endswith(f".{domain}") for domain in domains)


def _subject(asked: Name, profile: Profile, facts: Mapping[str, str]) -> Name:
    """The subject by the profile's sources; a name asked for that is not the registered one is refused."""
    wanted = asked.as_dict()
    if strange := [name for name in wanted if name not in profile.subject]:
        raise refusal(profile, strange[0], "该模板没有此项", "the profile has no such attribute")
    pairs = []
    for name, source in profile.subject.items():
        text = _text(name, source, wanted.get(name), profile, facts)
        if text is None:
            continue
        # whatever a profile leaves to the applicant: nobody has a certificate in another organ's name
        registered = facts.get("organ.name", text) if name == "organizationName" else text
        if name in wanted and wanted[name] != registered:
            raise ForeignName(field=name, asked=wanted[name], registered=registered)
        if (fault := text_fault(text)) is not None:
            zh, en = f"“{text}”：{fault.zh}", f"“{text}”: {fault.en}"
            if source.startswith(("person.", "post.", "organ.")):  # nothing that the request could put right
                zh, en = (
                    f"{zh}（登记如此，请先更正登记信息）",
                    f"{en} (so it is on record: correct the record first)",
                )
            raise refusal(profile, name, zh, en)
        _fits(name, text, profile)
        pairs.append((name, text))
    return Name.of(pairs)


def _text(
    name: str, source: str, asked: str | None, profile: Profile, facts: Mapping[str, str]
) -> str | None:
    if source.startswith("="):
        return source[1:]
    if source == "request?":
        return asked
    if source == "san?":
        return asked or facts.get(source)
    if source.endswith("?"):
        return facts.get(source.removesuffix("?")) or None
    text = asked if source == "request" else facts.get(source)
    if not text:
        raise refusal(profile, name, "缺少该项", "it is missing")
    return text


def _first_of(san: tuple[GeneralName, ...]) -> dict[str, str]:
    """The first alternative name that fits into a common name (64 characters, RFC 5280 appendix A), as `san?`."""
    fitting = [text for _, text in san if len(text) <= ATTRIBUTES["commonName"][2]]
    return {"san?": fitting[0]} if fitting else {}


def _alternative_names(
    asked: tuple[GeneralName, ...], profile: Profile, domains: tuple[str, ...]
) -> tuple[GeneralName, ...]:
    allowed = {str(kind) for kind in profile.san}
    # each once, as some clients list them twice
    names = tuple(dict.fromkeys((kind, text.lower() if kind == "dns" else text) for kind, text in asked))
    for kind, text in names:
        if kind not in allowed:
            raise refusal(profile, kind, f"不允许 {text}", f"{text} is not allowed")
        if kind == "dns" and domains and not within(text, domains):
            raise ForeignName(field="dns", asked=text, registered=", ".join(domains))
        if kind == "dns" and is_wildcard(text):
            _may_stand_for_many(text, profile)
        if kind in FAULTS and (fault := FAULTS[kind](text)) is not None:
            raise refusal(profile, kind, f"“{text}”：{fault.zh}", f"“{text}”: {fault.en}")
        _fits(kind, text, profile)
    _count(names, profile)
    return names


def _may_stand_for_many(text: str, profile: Profile) -> None:
    """A wildcard is allowed and well formed; raises ProfileRefuses."""
    if not profile.wildcards:
        raise refusal(profile, "dns", f"不允许通配符 {text}", f"the wildcard {text} is not allowed")
    if (why := wildcard_fault(text)) is not None:
        raise refusal(profile, "dns", f"{text}：{why.zh}", f"{text}: {why.en}")


def _count(names: tuple[GeneralName, ...], profile: Profile) -> None:
    kinds = [kind for kind, _ in names]
    for kind, need in profile.san.items():
        if need == "required" and kind not in kinds:
            raise refusal(profile, kind, "缺少该项", "it is missing")
        most = profile.rules.get(kind, NameRule()).most
        if most is not None and kinds.count(kind) > most:
            raise _too_many(profile, kind, kinds.count(kind), most)
    least, most = profile.least_names, profile.most_names
    if len(names) < least:
        raise refusal(
            profile, "subjectAltName", f"至少需要 {least} 个名称", f"{least} or more names are needed"
        )
    if len(names) > most:
        raise _too_many(profile, "subjectAltName", len(names), most)


def _too_many(profile: Profile, field: str, given: int, most: int) -> ProfileRefuses:
    return refusal(
        profile, field, f"共 {given} 个名称，最多 {most} 个", f"{given} names where {most} are allowed"
    )


def _fits(field: str, text: str, profile: Profile) -> None:
    """The rule for an attribute or a kind of alternative name holds; raises ProfileRefuses."""
    rule = profile.rules.get(field)
    if rule is None:
        return
    if not rule.matches(text):
        zh, en = (rule.hint.zh, rule.hint.en) if rule.hint else (rule.pattern, rule.pattern)
        raise refusal(profile, field, f"“{text}”不符合要求：{zh}", f"“{text}” is not what is wanted: {en}")
    if not rule.covers(text):
        wanted = ", ".join(rule.domains)
        raise refusal(profile, field, f"“{text}”不在 {wanted} 之内", f"“{text}” does not lie within {wanted}")
