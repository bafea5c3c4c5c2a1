"""The log's trees in tiles: 256 hashes a row, where every inner node had a row of its own."""

import hashlib
from collections.abc import Callable, Iterator

import sqlalchemy as sa
from alembic import op
from cryptography.hazmat.primitives import hashes

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WIDTH = 256
_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_tile_no_update BEFORE UPDATE ON audit_tile BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_tile_no_delete BEFORE DELETE ON audit_tile BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_tile_no_replace BEFORE INSERT ON audit_tile WHEN EXISTS (SELECT 1 FROM audit_tile WHERE tree = NEW.tree AND level = NEW.level AND "index" = NEW."index") BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
    ),
    "postgresql": (
        """CREATE TRIGGER audit_tile_no_change BEFORE UPDATE OR DELETE ON audit_tile FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_tile_no_truncate BEFORE TRUNCATE ON audit_tile FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    ),
}


def upgrade() -> None:
    tiles = op.create_table(
        "audit_tile",
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", _INDEX, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tree", "level", "index", name=op.f("pk_audit_tile")),
    )
    connection = op.get_bind()
    for tree, digest in (("sha256", _sha256), ("sm3", _sm3)):
        for row in _tiles(_leaves(connection, tree), digest):
            connection.execute(tiles.insert(), {"tree": tree, **row})
    op.drop_table("audit_node")
    for statement in _TRIGGERS[connection.dialect.name]:
        op.execute(sa.text(statement))


def _leaves(connection: sa.Connection, tree: str) -> Iterator[bytes]:
    entry = sa.table("audit_entry", sa.column("index", _INDEX), sa.column(f"leaf_{tree}", sa.LargeBinary()))
    begin = 0
    while True:
        query = sa.select(entry.c[f"leaf_{tree}"]).where(
            entry.c.index >= begin, entry.c.index < begin + _WIDTH
        )
        found = list(connection.scalars(query.order_by(entry.c.index)))
        yield from found
        if len(found) < _WIDTH:
            return
        begin += _WIDTH


def _tiles(leaves: Iterator[bytes], digest: Callable[[bytes], bytes]) -> Iterator[dict[str, object]]:
    under_way: dict[int, list[bytes]] = {}
    made: dict[int, int] = {}
    for leaf in leaves:
        level, hash_ = 0, leaf
        while True:
            row = under_way.setdefault(level, [])
            row.append(hash_)
            if len(row) < _WIDTH:
                break
            hash_ = _folded(row, digest)
            yield {"level": level, "index": made.get(level, 0), "root": hash_, "hashes": b"".join(row)}
            made[level] = made.get(level, 0) + 1
            under_way[level] = []
            level += 1


def _folded(row: list[bytes], digest: Callable[[bytes], bytes]) -> bytes:
    while len(row) > 1:
        row = [digest(b"\x01" + row[at] + row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _sm3(data: bytes) -> bytes:
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()
