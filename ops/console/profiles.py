"""Certificate profiles for reading: what each demands, its versions, and how many certificates stand on it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, render_template
from pydantic import Field

from ca.errors import UnknownVersion
from ca.issue import VERB as ISSUE
from ca.profile import Profile
from ca.profile.census import Counted, counted, hashes
from ca.profile.versions import stored
from ca.words import SUITES
from ops.console import profile_words as words
from ops.console.export import csv_file
from yinxin.authz import PLATFORM, Resource
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50
#: digits of a hash that a list shows; commands take as many
SHOWN = 12
COLUMNS = (
    *(
        "name",
        "title_zh",
        "title_en",
        "hash",
        "versions",
        "in_force",
        "own",
        "asked_for",
        "holders",
        "suites",
    ),
    *("keys", "days", "most_days", "key_usage", "extended_key_usage"),
)
ASKED: Mapping[str, Text] = {
    "yes": Text("可以申请", "can be asked for"),
    "pair": Text("双证书的第二张", "second of a pair"),
    "no": Text("只由仪式或平台制作", "made by a ceremony or the platform"),
}


class Look(Paged):
    """What to look for; a field left empty is anything."""

    text: str = Field(default="", max_length=60)
    holder: Literal["", "person", "organ", "service"] = ""
    suite: str = Field(default="", max_length=8)
    asked: Literal["", "yes", "pair", "no"] = ""


class Which(Model):
    """Which version, by its whole hash; else the one in force."""

    version: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_list(pages, platform)
    _add_one(pages, platform)


def _add_list(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/profiles")
    def profiles(query: Look, caller: Caller) -> str:
        platform.ca.may_read(caller.actor)
        known = platform.ca.ctx.profiles
        after = query.begin(str) or ""
        found = [each for each in _matching(known.values(), query) if each.name > after][: PAGE + 1]
        page = page_of(found, PAGE, key=lambda each: each.name, show=lambda each: each.name)
        return render_template(
            "console/profiles.html",
            rows=[(each, ASKED[_asked(each)], words.suite_words(each)) for each in found[:PAGE]],
            following=page.next,
            holders=words.HOLDERS,
            suites=SUITES,
            asked=ASKED,
            own=known.own,
            shown=SHOWN,
            in_force=_in_force(platform, caller),
            versions=Counter(name for name, _ in _versions(platform)),
        )

    @pages.get("/console/profiles.csv")
    def profiles_export(query: Look, caller: Caller) -> Response:
        """Every profile that matches, as it is in force."""
        platform.ca.may_read(caller.actor)
        known = platform.ca.ctx.profiles
        standing, versions = _in_force(platform, caller), Counter(name for name, _ in _versions(platform))

        def rows() -> Iterator[dict[str, Any]]:
            for each in _matching(known.values(), query):
                yield {
                    **{name: getattr(each, name) for name in ("name", "hash", "days", "most_days")},
                    "title_zh": each.title.zh,
                    "title_en": each.title.en,
                    "versions": versions[each.name],
                    "in_force": standing[each.name],
                    "own": "yes" if each.name in known.own else "",
                    "asked_for": _asked(each),
                    "suites": " ".join(words.suites(each)),
                    **{
                        name: " ".join(getattr(each, name))
                        for name in ("holders", "keys", "key_usage", "extended_key_usage")
                    },
                }

        return csv_file("profiles.csv", rows(), COLUMNS)


def _add_one(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/profiles/<name>")
    def profile(name: str, query: Which, caller: Caller) -> str:
        platform.ca.may_read(caller.actor)
        known = platform.ca.ctx.profiles
        shown = _version(platform, name, query.version)
        organ = caller.actor.organ or PLATFORM
        made = {each.hash: each for each in counted(platform.store, organ, name)}
        current = known[name].hash if name in known else ""
        resource = Resource(
            "Certificate", "profile", organ=organ, attributes={"profile": name, "of_power": False}
        )
        may = not shown.ceremony_only and not shown.escrow
        return render_template(
            "console/profile.html",
            profile=shown,
            current=current,
            own=name in known.own,
            asked=ASKED[_asked(shown)],
            way=words.protocols(shown),
            may=may and platform.authz.decisions.check(caller.actor, ISSUE, resource).allowed,
            holders=words.HOLDERS,
            signers=words.SIGNERS,
            suites=[(SUITES[suite], kinds) for suite, kinds in words.suites(shown).items()],
            usages=words.USAGES,
            purposes=words.PURPOSES,
            subject=list(words.subject(shown)),
            names=list(words.names(shown)),
            identifiers=list(words.identifiers(shown)),
            extensions=words.extensions(shown),
            titles={each.name: each.text for each in known.values()},
            versions=_standing(name, _versions(platform), made, current),
            text=json.dumps(json.loads(shown.data), ensure_ascii=False, indent=2),
        )


def _asked(profile: Profile) -> str:
    if profile.ceremony_only:
        return "no"
    return "pair" if profile.escrow else "yes"


def _matching(profiles: Iterable[Profile], query: Look) -> Iterator[Profile]:
    text = query.text.strip().lower()
    for each in profiles:
        named = f"{each.name}\n{each.title.zh}\n{each.title.en}".lower()
        if text not in named or (query.holder and query.holder not in each.holders):
            continue
        if query.suite and query.suite not in words.suites(each):
            continue
        if not query.asked or query.asked == _asked(each):
            yield each


def _in_force(platform: "Platform", caller: Caller) -> Counter[str]:
    """Certificates in force by profile, of whatever version, in the reader's part of the tree."""
    found: Counter[str] = Counter()
    for each in counted(platform.store, caller.actor.organ or PLATFORM):
        found[each.profile] += each.in_force
    return found


def _versions(platform: "Platform") -> list[tuple[str, str]]:
    """(profile, hash) of every version: once used, or in force."""
    now = {(each.name, each.hash) for each in platform.ca.ctx.profiles.values()}
    return sorted(now | set(hashes(platform.store)))


def _version(platform: "Platform", name: str, hash_: str) -> Profile:
    """The version in force, or the one of this hash; raises UnknownProfile, UnknownVersion."""
    known = platform.ca.ctx.profiles
    if not hash_ or (name in known and known[name].hash == hash_):
        return known[name]
    found = stored(platform.ca.ctx, hash_)
    if found is None or found.name != name:
        raise UnknownVersion(profile=name[:60], version=hash_)
    return found


def _standing(
    name: str, versions: Sequence[tuple[str, str]], made: Mapping[str, Counted], current: str
) -> list[tuple[str, Counted | None]]:
    """The profile's versions: the one in force, then those used last, and what of them is in the reader's part of the tree."""
    own = [hash_ for of, hash_ in versions if of == name]
    last = {hash_: made[hash_].last.timestamp() if hash_ in made else 0 for hash_ in own}
    own.sort(key=lambda each: (each != current, -last[each]))
    return [(each, made.get(each)) for each in own]
