"""Verify what a log proves with nothing but Python (3.11 or later): a single file, no library, no network, nothing of the platform.

    python3 log-verify.py FILE --log log.vkey [--policy log.policy] [--lang zh|en]
                          [--record FILE.ers --roots roots.pem [--algorithms algorithms.toml]]

FILE is the proof of an entry (`.tlog-proof`), a stretch of the log (`.stretch`) or an extract (`.extract`) of the SHA-256 tree, or a bundle of
evidence (`.asice`), of which this file judges what its log says; `log.vkey` holds the log's Ed25519 key and `log.policy` (c2sp.org/tlog-policy)
says whose cosignatures the reader believes. With its evidence record (`.ers`, RFC 4998) any file is followed through its renewals, link by
link: `roots.pem` holds the roots of timestamp authorities, `algorithms.toml` the reader's own last days of algorithms. All of them must come from
somebody the reader trusts, and so must this file: a verifier that comes along with what it verifies proves nothing.
Of a record it knows ECDSA (P-256, P-384), RSA and SM2 with SHA-2 and SM3; it knows no ML-DSA, and judges no seal, no person's signature and
no document: for those use `yinxin verify`. Exit status: 0 what it judges holds, 1 it does not, 2 a file cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from yinxin.evidence.standalone.entry import counted, entry_of, json_of, line_of
from yinxin.evidence.standalone.notes import Head, Key, Policy, decimal, head, octets_of
from yinxin.evidence.standalone.packed import unpacked
from yinxin.evidence.standalone.paper import Certificate, roots_of
from yinxin.evidence.standalone.personal import TITLES, opened
from yinxin.evidence.standalone.question import clear, matches
from yinxin.evidence.standalone.renewed import Ages, followed, record_of
from yinxin.evidence.standalone.saying import Broken, NotJudged, Said
from yinxin.evidence.standalone.signature import digest
from yinxin.evidence.standalone.trees import grown, hashed, included

# --- what can be verified ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Renewals:
    """The evidence record of a file, where it has one, with the instant it is judged for; and what such records are judged with."""

    roots: list[Certificate] = field(default_factory=list)
    ages: Ages = field(default_factory=lambda: Ages({}))
    record: tuple[bytes, datetime] | None = None


def verify(data: bytes, logs: list[Key], policy: Policy | None, by: Renewals | None = None) -> Said:
    """Check a file and say in Chinese and English what holds, its renewals first; raises Broken."""
    by = by or Renewals()
    if by.record is None:
        return _by_kind(data, logs, policy, by)
    record, at = by.record
    since, said = followed(record, data, by.roots, by.ages, at)
    try:
        return said + _by_kind(data, logs, policy, by)
    except _Unknown:
        when = f"{since:%Y-%m-%d %H:%M:%SZ}"
        return [
            *said,
            NotJudged(
                (
                    f"证据记录证明文件自 {when} 起已存在；文件内容本身未作判断",
                    f"the evidence record proves that the file has been there since {when}; what it says was not judged",
                )
            ),
        ]


class _Unknown(Broken):
    """A file of no kind that is judged here."""


def _by_kind(data: bytes, logs: list[Key], policy: Policy | None, by: Renewals) -> Said:
    try:
        if data.startswith(b"c2sp.org/tlog-proof@v1\n"):
            return _proof(data.decode(), logs, policy)
        if data.startswith(b'{"begin":'):
            return _stretch(data, logs, policy)
        if data.startswith(b'{"checkpoint":'):
            return _extract(data, logs, policy)
        if data.startswith(b"PK"):
            return _bundle(data, logs, policy, by)
    except Broken:
        raise
    except Exception as error:
        # a reader of hostile text fails in any way
        raise Broken("文件格式不对", "the file is malformed") from error
    raise _Unknown("不认识这个文件", "this file cannot be checked")


def _bundle(data: bytes, logs: list[Key], policy: Policy | None, by: Renewals) -> Said:
    """What the log says of the object of a bundle, and the renewals of the log's checkpoints; the rest is said not to be judged."""
    files = unpacked(data)
    if (
        "evidence.json" not in files
    ):  # of a message between sites, of a signed file: no log says anything in it
        raise _Unknown(
            "这种证据包不由本程序判断，请用 yinxin verify 核验",
            "evidence of this kind is not judged by this file: use yinxin verify",
        )
    body = json_of(files["evidence.json"])
    counts, subject = body["counts"], body["subject"]
    log, records = counts["log"], counts.get("records", 0)
    if type(log) is not int or type(records) is not int or type(subject) is not str:
        raise ValueError("another form")
    said: Said = [
        (
            f"证据包内 {len(files)} 个文件与清单一致",
            f"the {len(files)} files of the bundle are as its manifest lists them",
        )
    ]
    known, texts, others, judged = {each.name for each in logs if each.kind == 0x01}, [], 0, 0
    for number in range(1, log + 1):
        proof = files[f"log/{number:02}.tlog-proof"].decode()
        note = proof.partition("\n\n")[2]
        texts.append(note.rpartition("\n\n")[0] + "\n")
        if note.partition("\n")[0] not in known:
            others += 1
            continue
        told = _proof(proof, logs, policy)
        event = entry_of(octets_of(proof.split("\n")[1].removeprefix("extra ")))
        if (event["subject"], event["outcome"]) != (subject, "done"):
            raise Broken("日志记录与证据包的对象不符", "a log entry is about another object than the bundle")
        said += told
        judged += 1
    if not judged:
        raise Broken(
            "证据包中没有您给出的日志公钥能证明的记录",
            "no entry of the bundle is in a log whose key you gave",
        )
    said += _renewals([files[f"log/{number:02}.ers"] for number in range(1, records + 1)], texts, by)
    if others:
        said.append(
            NotJudged(
                (
                    f"另有 {others} 条记录的日志公钥未给出，未作判断",
                    f"{others} entries are in logs whose keys were not given, and were not judged",
                )
            )
        )
    said.append(
        NotJudged(
            (
                "公文、印章、各人签名及其证书和撤销状态不由本程序判断，请用 yinxin verify 核验",
                "document, seals, people's signatures, their certificates and revocation are not judged by this file: use yinxin verify",
            )
        )
    )
    return said


def _renewals(records: list[bytes], texts: list[str], by: Renewals) -> Said:
    """Each evidence record is of a checkpoint of the proofs, and its links held as of the last of them."""
    said: Said = []
    for each in records:
        links = [link for chain in record_of(each)[0] for link in chain]
        first, last = links[0].token, links[-1].token
        over = [text for text in dict.fromkeys(texts) if digest(first.hash, text.encode()) == first.imprint]
        if len(over) != 1:
            raise Broken("证据记录不属于任何检查点", "an evidence record is of no checkpoint of the bundle")
        size, times = over[0].split("\n")[1], len(links) - 1
        if not by.roots:
            said.append(
                NotJudged(
                    (
                        f"日志规模 {size} 的检查点附有证据记录（续期 {times} 次）；没有给出时间戳服务的根证书，未作判断",
                        f"the log's checkpoint of size {size} comes with an evidence record (renewed {times} times); no roots of timestamp authorities were given, so it was not judged",
                    )
                )
            )
            continue
        since, told = followed(each, over[0].encode(), by.roots, by.ages, last.at)
        said += [text for text in told if isinstance(text, NotJudged)]
        said.append(
            (
                f"日志规模 {size} 的检查点在 {since:%Y-%m-%d %H:%M:%SZ} 已存在，有时间戳为证，续期 {times} 次",
                f"the log's checkpoint of size {size} existed at {since:%Y-%m-%d %H:%M:%SZ}, as a timestamp proves that was renewed {times} times",
            )
        )
    return said


def _proof(text: str, logs: list[Key], policy: Policy | None) -> Said:
    top, _, note = text.partition("\n\n")
    _, extra, index, *path = top.split("\n")
    if not extra.startswith("extra ") or not index.startswith("index "):
        raise ValueError("another form")
    entry, at = octets_of(extra[6:]), decimal(index[6:])
    found = head(note, logs, policy)
    if included(hashed(entry), at, found.size, [octets_of(each) for each in path]) != found.root:
        raise Broken(f"该记录不在日志第 {at} 位", f"the entry is not at index {at} of the log")
    what = line_of(entry_of(entry))
    said = [
        (
            f"记录在日志 {found.origin} 第 {at} 条（共 {found.size} 条）：{what}",
            f"the entry is number {at} of {found.size} in the log {found.origin}: {what}",
        )
    ]
    return said + _witnesses([found], policy)


def _lists(body: dict[str, Any], *names: str) -> None:
    """To Python, no text and no object is empty like no list: neither is another spelling of one."""
    if any(type(body[name]) is not list for name in names):
        raise ValueError("another form")


def _stretch(data: bytes, logs: list[Key], policy: Policy | None) -> Said:
    body = json_of(data)
    if body.keys() != {"begin", "edge", "end", "entries", "question", "type", "v", "witnesses"}:
        raise ValueError("another form")
    _lists(body, "edge", "entries", "witnesses")
    listed = _listed(data, body, "log-stretch", body["begin"] + body["end"])
    begin, end = (head(body[name], logs, policy, listed) for name in ("begin", "end"))
    edge, entries = ([octets_of(each) for each in body[name]] for name in ("edge", "entries"))
    whole = (
        begin.origin == end.origin
        and len(edge) == begin.size.bit_count()
        and begin.size + len(entries) == end.size
        and grown(edge, begin.size, []) == begin.root
        and grown(edge, begin.size, [hashed(each) for each in entries]) == end.root
    )
    if not whole:
        raise Broken("区间内的记录不全或被改动", "entries of the stretch are missing or were changed")
    said = [
        (
            f"日志 {end.origin} 第 {begin.size} 条至第 {end.size} 条之间的 {len(entries)} 条记录齐全",
            f"the {len(entries)} entries of the log {end.origin} between its first {begin.size} and {end.size} are all here",
        )
    ]
    said += _witnesses([begin, end], policy)
    asked = body["question"]
    span = clear(asked)
    if span is None:
        raise Broken(
            "所问的内容不成立：没有记录能与之相符",
            "the question cannot be: no entry could match what it asks",
        )
    since, until = span
    witnessed = begin.cosigned and end.cosigned
    if witnessed and (max(begin.cosigned.values()) + 1 > since or min(end.cosigned.values()) < until):
        raise Broken("见证时间没有覆盖所问的时间", "the witnesses' times do not enclose the time asked about")
    events = [entry_of(each) for each in entries]
    counted(events, begin.size)
    found = [event for event in events if matches(asked, event)]
    if asked.get("none") and found:
        raise Broken(
            f"有符合条件的记录：{found[0]['id']}", f"there is an entry that matches: {found[0]['id']}"
        )
    words, spelt = json.dumps(asked, ensure_ascii=False), json.dumps(asked)
    words = words if words == spelt else f"{words} ({spelt})"
    return [*said, (f"其中 {len(found)} 条符合：{words}", f"{len(found)} of them match: {words}")]


def _listed(data: bytes, body: dict[str, Any], kind: str, notes: str) -> tuple[Key, ...]:
    """The keys that a file lists, each of a signature on its checkpoints; raises for another spelling or kind of file."""
    again = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    if again != data or type(body["v"]) is not int or (body["v"], body["type"]) != (1, kind):
        raise ValueError("another form")
    listed = tuple(map(Key.read, body["witnesses"]))
    if any(f"\n\u2014 {each.name} " not in notes for each in listed):
        raise Broken("列出了没有联署的见证方", "a witness is listed that did not cosign")
    return listed


#: entries of one extract
MOST_ENTRIES = 10_000


def _extract(data: bytes, logs: list[Key], policy: Policy | None) -> Said:
    body = json_of(data)
    if body.keys() != {"checkpoint", "entries", "type", "v", "witnesses"}:
        raise ValueError("another form")
    _lists(body, "entries", "witnesses")
    if not 0 < len(body["entries"]) <= MOST_ENTRIES:
        raise ValueError("another form")
    found = head(body["checkpoint"], logs, policy, _listed(data, body, "log-extract", body["checkpoint"]))
    told: Said = []
    withheld: dict[str, int] = {}
    last = -1
    for each in body["entries"]:
        if each.keys() != {"entry", "hashes", "index", "opened"} or type(each["index"]) is not int:
            raise ValueError("another form")
        _lists(each, "hashes")
        entry, at = octets_of(each["entry"]), each["index"]
        if included(hashed(entry), at, found.size, [octets_of(one) for one in each["hashes"]]) != found.root:
            raise Broken(f"该记录不在日志第 {at} 位", f"the entry is not at index {at} of the log")
        if at <= last:
            raise Broken("记录的先后不对或重复", "entries are out of order, or one is there twice")
        last, event = at, entry_of(entry)
        line = line_of(event)
        told.append((line, line))
        told += opened(event, each["opened"], withheld)
    count = len(body["entries"])
    whole = (
        f"{count} 条记录都在日志 {found.origin} 中（共 {found.size} 条）",
        f"the {count} entries are in the log {found.origin} (of {found.size} entries)",
    )
    kept = [
        NotJudged(
            (f"未开示的个人信息：{title[0]}（{many} 条）", f"not opened: {title[1]} (of {many} entries)")
        )
        for title, many in ((TITLES.get(name, (name, name)), withheld[name]) for name in sorted(withheld))
    ]
    return [whole, *_witnesses([found], policy), *told, *kept]


def _witnesses(heads: list[Head], policy: Policy | None) -> Said:
    if policy is None:
        return [
            NotJudged(
                (
                    "没有给出见证规则，联署与时间未作判断",
                    "no policy was given: cosignatures and times were not judged",
                )
            )
        ]
    said = []
    for each in heads:
        times = "; ".join(
            f"{name} {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%SZ}"
            for name, at in each.cosigned.items()
        )
        said.append(
            (
                f"规模 {each.size} 的检查点达到见证规则：{times or '-'}",
                f"the checkpoint of size {each.size} meets the policy: {times or '-'}",
            )
        )
    return said


def main(arguments: list[str] | None = None) -> int:
    """Verify a file; 0 when all holds."""
    parser = argparse.ArgumentParser(description="verify what a log proves / 核验日志的证明")
    parser.add_argument("file", type=Path)
    parser.add_argument("--log", type=Path, required=True, help="the log's key texts / 日志公钥文件")
    parser.add_argument("--policy", type=Path, help="the reader's policy of witnesses / 见证规则文件")
    parser.add_argument("--record", type=Path, help="the file's evidence record (.ers) / 证据记录")
    parser.add_argument(
        "--roots", type=Path, help="roots of timestamp authorities (PEM) / 时间戳服务的根证书"
    )
    parser.add_argument("--algorithms", type=Path, help="last days of algorithms (TOML) / 算法期限表")
    parser.add_argument("--lang", choices=("zh", "en"))
    given = parser.parse_args(arguments)
    if given.record and not given.roots:
        parser.error("--record needs --roots / 核验证据记录须给出 --roots")

    def say(mark: str, texts: tuple[str, ...]) -> None:
        for language, text in zip(("zh", "en"), texts, strict=True):
            if given.lang in (None, language):
                sys.stdout.write(f"{mark} {text}\n")

    try:
        keys = [Key.read(line) for line in given.log.read_text("utf-8").split("\n") if line]
        policy = Policy.read(given.policy.read_text("utf-8")) if given.policy else None
        roots = roots_of(given.roots.read_text("utf-8")) if given.roots else []
        ages = Ages.read(given.algorithms.read_text("utf-8")) if given.algorithms else Ages({})
        record = (given.record.read_bytes(), datetime.now(UTC)) if given.record else None
        by = Renewals(roots, ages, record)
        for texts in verify(given.file.read_bytes(), keys, policy, by):
            say("!" if isinstance(texts, NotJudged) else "✓", texts)
    except Broken as broken:
        say("✗", broken.args)
        return 1
    except (OSError, UnicodeDecodeError) as error:
        say("✗", (f"读不到文件：{error}", f"a file cannot be read: {error}"))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
