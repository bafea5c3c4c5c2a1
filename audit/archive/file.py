"""An archive file: entries, and everything needed to prove any of them offline, against the log's keys alone.

JSON lines, each canonical (RFC 8785): first what it is, with the signed checkpoint of each tree; then for each tree the
hashes that proofs need; then the entries in order, each the text that was hashed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from audit.archive.errors import BadArchive, NotInArchive
from audit.archive.seal import Header
from audit.sequence import columns, columns_of
from audit.tree import TREES
from yinxin import canonical
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.evidence.numbers import numbered
from yinxin.text import Text
from yinxin.tlog import LogProof, Node, Note, NoteVerifier, inclusion_proof, leaf_hash

FORMAT = "yinxin-archive@v1"


@dataclass(frozen=True)
class Archive:
    """The entries of one archive by index, the size of the tree that proves them, its checkpoints and nodes by tree."""

    name: str
    site: str
    size: int
    notes: Mapping[str, str]
    nodes: Mapping[str, Mapping[Node, bytes]]
    entries: Mapping[int, bytes]

    def encode(self) -> bytes:
        """The file's octets."""
        head = {
            "format": FORMAT,
            "name": self.name,
            "site": self.site,
            "size": self.size,
            "notes": dict(self.notes),
        }
        trees = [
            {
                "tree": tree,
                "nodes": [
                    [node.level, node.index, hash_.hex()]
                    for node, hash_ in sorted(nodes.items(), key=lambda each: (each[0].level, each[0].index))
                ],
            }
            for tree, nodes in self.nodes.items()
        ]
        entries = [{"index": index, "data": data.decode()} for index, data in sorted(self.entries.items())]
        return b"".join(canonical.encode(each) + b"\n" for each in (head, *trees, *entries))

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Read an archive in its one spelling; raises BadArchive."""
        try:
            head, *rest = [canonical.decode(line) for line in content.splitlines()]
            count = len(TREES)
            nodes = {
                each["tree"]: {
                    Node(level, index): bytes.fromhex(text) for level, index, text in each["nodes"]
                }
                for each in rest[:count]
            }
            entries = {each["index"]: each["data"].encode() for each in rest[count:]}
            if head["format"] != FORMAT or set(nodes) != {suite.hash.name for suite in TREES} or not entries:
                raise BadArchive(part=Text("文件格式", "its form"))
            found = cls(head["name"], head["site"], head["size"], head["notes"], nodes, entries)
            same = found.encode() == content
        except (YinxinError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArchive(part=Text("文件格式", "its form")) from error
        if not same:
            raise BadArchive(part=Text("写法不唯一", "another spelling of the same"))
        return found

    def verify(self, verifiers: Mapping[str, NoteVerifier]) -> None:
        """Hold every entry against the signed checkpoint of each tree; raises BadArchive with the first that does not hold."""
        for suite in TREES:
            for index in self.entries:
                try:
                    self._proof(index, suite).verify([verifiers[suite.hash.name]])
                except (YinxinError, KeyError, ValueError) as error:
                    raise BadArchive(part=Text(f"第 {index} 条", f"entry {index}")) from error

    def prove(self, event: str, suite: Suite) -> LogProof:
        """The self-contained proof of one entry; raises NotInArchive."""
        index = self._indexes.get(event)
        if index is None:
            raise NotInArchive(archive=self.name, event=event)
        return self._proof(index, suite)

    def headers(self) -> list[Header]:
        """What the log keeps of each entry."""
        found = []
        for index, data in sorted(self.entries.items()):
            event = canonical.decode(data)
            known = columns_of(event)
            leaves = [leaf_hash(suite.hash, data) for suite in TREES]
            header = (index, known["event"], known["time"], known["verb"], known["outcome"], *leaves)
            found.append(Header(*header, *numbered(event)))
        return found

    @cached_property
    def _indexes(self) -> dict[str, int]:
        return {columns(data)["event"]: index for index, data in self.entries.items()}

    def _proof(self, index: int, suite: Suite) -> LogProof:
        nodes = self.nodes[suite.hash.name]

        def fetch(wanted: Any) -> dict[Node, bytes]:
            return {node: nodes[node] for node in wanted}

        hashes = inclusion_proof(suite.hash, index, self.size, fetch)
        return LogProof(self.entries[index], index, hashes, Note.decode(self.notes[suite.hash.name].encode()))
