"""What several people decide about witnessing (law 3): whom this log's readers believe, and whose logs we watch."""

from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field
from sqlalchemy.orm import Session

from audit.witness.errors import BadWitnessing, LogNotWitnessed
from audit.witness.models import WitnessedLogRow
from audit.witness.quorum import adopt
from yinxin.crypto.suite import suite as suite_named
from yinxin.proposal import Approved, Outcome, ProposalKind
from yinxin.text import Text
from yinxin.tlog import NoteVerifier, Policy
from yinxin.wire import Model

if TYPE_CHECKING:
    from audit.service import Log

_PROPOSERS = frozenset({"administrator", "security-officer"})
_APPROVERS = frozenset({"security-officer", "leader"})


class QuorumContent(Model):
    """A policy of witnesses for one of the log's trees."""

    suite: Literal["intl", "sm"]
    """The tree: of which suite."""
    policy: str = Field(min_length=1, max_length=200_000)
    """The policy file (c2sp.org/tlog-policy). It names this log's key, the witnesses with their keys, and the quorum."""


class WitnessContent(Model):
    """A log of another site that this site shall witness."""

    keys: tuple[str, ...] = Field(min_length=1, max_length=8)
    """The log's keys, each as name+id+key; their name is the log's."""


class StopContent(Model):
    """A log that this site shall witness no longer."""

    origin: str = Field(min_length=1, max_length=255)
    """The log's name."""


# --- whom we believe -------------------------------------------------------------------------------------------


def _policy(log: "Log", content: QuorumContent) -> Policy:
    """The policy, held against this site; raises MalformedPolicy or BadWitnessing."""
    policy = Policy.parse(content.policy.encode())
    own = log.verifiers[suite_named(content.suite).hash.name]
    if own not in [each.verifier for each in policy.logs]:
        raise BadWitnessing(
            field="policy",
            reason=Text(
                f"没有写明本日志公钥 {own.encode()}", f"it does not name this log's key {own.encode()}"
            ),
        )
    ours = {key.public_key.spki for key in log.cosigner.keys}
    for each in policy.witnesses.values():
        if each.verifier.public_key.spki in ours:
            raise BadWitnessing(
                field="policy",
                reason=Text(f"{each.name} 是本站点自己的见证密钥", f"{each.name} is this site's own witness"),
            )
        if len(each.verifier.name) > 200 or (each.url is not None and not _address(each.url)):
            raise BadWitnessing(
                field="policy",
                reason=Text(f"{each.name} 的名称或网址不能用", f"the key name or address of {each.name}"),
            )
    return policy


def _address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return sound and url.isascii() and not parts.username and not parts.query and not parts.fragment


def _check_quorum(log: "Log", content: QuorumContent) -> None:
    _policy(log, content)


def _describe_quorum(log: "Log", content: QuorumContent) -> tuple[Text, ...]:
    policy, words = _policy(log, content), Policy.words
    said = [
        Text(
            f"{content.suite} 日志的检查点须有以下见证方联署才算可信：{words(policy).zh}",
            f"a checkpoint of the {content.suite} log is believed when cosigned by {words(policy).en}",
        )
    ]
    for each in policy.witnesses.values():
        place = each.url or Text("以文件交换", "by file")
        where = Text(place, place) if isinstance(place, str) else place
        key = each.verifier.encode()
        said.append(Text(f"{each.name}（{where.zh}）：{key}", f"{each.name} ({where.en}): {key}"))
    return tuple(said)


def _set_quorum(log: "Log", approved: Approved[QuorumContent], session: Session) -> Outcome:
    policy = _policy(log, approved.content)
    suite = suite_named(approved.content.suite)
    adopt(session, suite, policy, log.store.clock.now(), approved.proposal)
    return {
        "tree": suite.hash.name,
        "witnesses": len(policy.witnesses),
        "digest": suite.hash.digest(policy.source).hex(),
    }


# --- whose logs we watch ---------------------------------------------------------------------------------------


def _keys(log: "Log", content: WitnessContent) -> list[NoteVerifier]:
    """The log's keys; raises BadNoteKey or BadWitnessing."""
    keys = [NoteVerifier.decode(each) for each in content.keys]
    if len({(each.name, each.public_key.suite.name) for each in keys}) != 1 or len(keys[0].name) > 255:
        raise BadWitnessing(
            field="keys",
            reason=Text("各公钥须属于同一日志、同一套件", "all keys must be of one log and one suite"),
        )
    if keys[0].name in {each.name for each in log.verifiers.values()}:
        raise BadWitnessing(
            field="keys", reason=Text("本站点不能见证自己的日志", "a site does not witness its own log")
        )
    return keys


def _check_log(log: "Log", content: WitnessContent) -> None:
    _keys(log, content)


def _describe_log(log: "Log", content: WitnessContent) -> tuple[Text, ...]:
    keys = _keys(log, content)
    return (
        Text(
            f"本站点为日志 {keys[0].name} 作见证，承认公钥 {'、'.join(each.encode() for each in keys)}",
            f"this site witnesses the log {keys[0].name}, by its keys {', '.join(each.encode() for each in keys)}",
        ),
    )


def _watch(log: "Log", approved: Approved[WitnessContent], session: Session) -> Outcome:
    keys = _keys(log, approved.content)
    tree = keys[0].public_key.suite.hash.name
    row = session.get(WitnessedLogRow, keys[0].name)
    if row is None:
        row = WitnessedLogRow(origin=keys[0].name, tree=tree)
        session.add(row)
    elif row.tree != tree:
        raise BadWitnessing(
            field="keys", reason=Text("该日志原来属于另一套件", "that log was of another suite")
        )
    row.keys = "\n".join(each.encode() for each in keys)
    row.since, row.stopped, row.proposal = log.store.clock.now(), None, approved.proposal
    session.flush()
    return {"origin": row.origin, "tree": row.tree, "keys": [each.encode() for each in keys]}


def _check_stop(log: "Log", content: StopContent) -> None:
    if content.origin not in {each.origin for each in log.cosigner.logs() if not each.stopped}:
        raise LogNotWitnessed(origin=content.origin)


def _describe_stop(_log: "Log", content: StopContent) -> tuple[Text, ...]:
    return (
        Text(
            f"不再为日志 {content.origin} 作见证", f"this site no longer witnesses the log {content.origin}"
        ),
    )


def _stop(log: "Log", approved: Approved[StopContent], session: Session) -> Outcome:
    row = session.get(WitnessedLogRow, approved.content.origin)
    if row is None:
        raise LogNotWitnessed(origin=approved.content.origin)
    row.stopped = log.store.clock.now()
    session.flush()
    return {"origin": row.origin}


SET_QUORUM: ProposalKind["Log", Any] = ProposalKind(
    name="audit.set-quorum",
    title=Text("设定日志的见证规则", "set the log's witness policy"),
    content=QuorumContent,
    proposers=_PROPOSERS,
    approvers=_APPROVERS,
    check=_check_quorum,
    describe=_describe_quorum,
    within=_set_quorum,
)
WITNESS_LOG: ProposalKind["Log", Any] = ProposalKind(
    name="audit.witness-log",
    title=Text("为其他站点的日志作见证", "witness another site's log"),
    content=WitnessContent,
    proposers=_PROPOSERS,
    approvers=_APPROVERS,
    check=_check_log,
    describe=_describe_log,
    within=_watch,
)
STOP_WITNESSING: ProposalKind["Log", Any] = ProposalKind(
    name="audit.stop-witnessing",
    title=Text("停止为一个日志作见证", "stop witnessing a log"),
    content=StopContent,
    proposers=_PROPOSERS,
    approvers=_APPROVERS,
    check=_check_stop,
    describe=_describe_stop,
    within=_stop,
)
