"""What people, posts, organs and registered systems are called."""

from collections.abc import Callable

from authz.directory import Directory
from authz.oidc import Clients
from yinxin.errors import NotFound
from yinxin.text import Text
from yinxin.web import Named


class DirectoryNames:
    """The names of the directory, of the clients, and of the organs of other sites (`yinxin.web.Names`)."""

    def __init__(
        self,
        directory: Directory,
        clients: Clients,
        elsewhere: Callable[[str], Text | None],
        mark: Callable[[str], str],
    ) -> None:
        """`elsewhere` names an organ of another site; `mark` gives a tenant's colour."""
        self._directory = directory
        self._clients = clients
        self._elsewhere = elsewhere
        self._mark = mark

    def name(self, kind: Named, id: str) -> Text | None:  # noqa: A002 - the protocol's name
        """The name in both languages; a person's is the same in both. None when the directory does not know it."""
        try:
            if kind == "person":
                name = self._directory.person(id).name
                return Text(name, name)
            if kind == "client":
                name_ = self._clients.get(id).registration.name
                return Text(name_.zh, name_.en)
            return self._directory.post(id).name if kind == "post" else self._directory.organ(id).name
        except NotFound:
            return self._elsewhere(id) if kind == "organ" else None

    def mark(self, tenant: str) -> str:
        """The colour of a tenant's pages."""
        return self._mark(tenant)
