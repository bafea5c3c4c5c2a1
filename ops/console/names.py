"""What people, posts and organs are called, from the directory."""

from authz.directory import Directory
from yinxin.errors import NotFound
from yinxin.text import Text
from yinxin.web import Named


class DirectoryNames:
    """The names of the directory (`yinxin.web.Names`)."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def name(self, kind: Named, id: str) -> Text | None:  # noqa: A002 - the protocol's name
        """The name in both languages; a person's is the same in both. None when the directory does not know it."""
        try:
            if kind == "person":
                name = self._directory.person(id).name
                return Text(name, name)
            return self._directory.post(id).name if kind == "post" else self._directory.organ(id).name
        except NotFound:
            return None
