"""Attachments as faces and applications see them."""

from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from yinxin.act import Actor
from yinxin.attachment.attach import Attaching
from yinxin.attachment.check import Checked, check
from yinxin.attachment.folder import Folder
from yinxin.attachment.models import Content
from yinxin.attachment.receive import UPLOAD, Receiving
from yinxin.attachment.settings import AttachmentSettings
from yinxin.attachment.sweep import Sweeping
from yinxin.authz import Decider, Decision, Resource
from yinxin.module import Health
from yinxin.store import Store
from yinxin.text import Text


class Attachments:
    """Files of any application's objects. `default` is the folder where the settings name none."""

    def __init__(
        self, store: Store, settings: AttachmentSettings, decider: Decider, *, default: Path
    ) -> None:
        self.settings = settings
        self.folder = Folder(Path(settings.folder) if settings.folder else default)
        self.receiving = Receiving(store, settings, self.folder)
        self.files = Attaching(self.folder, self.receiving, settings.most)
        self._store = store
        self._decider = decider

    def permit(self, actor: Actor) -> Decision:
        """The decision that she may send files; raises NotPermitted, recorded."""
        organ = actor.organ or ""
        return self._decider.require(actor, UPLOAD, Resource("Upload", actor.id, organ=organ))

    def sweep(self) -> int:
        """The background job; how many files went."""
        return self._sweeping.sweep()

    def check(self, actor: Actor) -> Checked:
        """Every file held against its record; raises NotPermitted."""
        return check(self._store, self.folder, self._decider, actor)

    def health(self) -> Health:
        """How much is stored."""
        with self._store.read() as session:
            query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Content.size), 0))
            files, octets = session.execute(query.select_from(Content)).one()
        return Health(
            True,
            Text(f"已存 {files} 个文件", f"{files} files stored"),
            {"files": files, "octets": int(octets), "folder": str(self.folder.root)},
        )

    @cached_property
    def _sweeping(self) -> Sweeping:
        return Sweeping(self._store, self.folder, self.receiving)
