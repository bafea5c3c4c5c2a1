"""Who acts on the command line: somebody who proves to hold a certificate of this platform."""

from pathlib import Path
from typing import TYPE_CHECKING

from ops.accounts import Account
from yinxin.act import Actor
from yinxin.crypto.keys import Identity
from yinxin.errors import NotAuthenticated

if TYPE_CHECKING:
    from ops.platform import Platform

#: whose certificate is used when none is named, on an embedded installation that the demo has populated
OFFICER = "demo-officer"


class NobodyActs(NotAuthenticated):
    """No certificate named, and no demo officer here."""

    code = "ops.nobody_acts"
    zh = "请用 --as FILE.p12 --password-file FILE 说明由谁操作（此数据目录中没有演示安全管理员）。"
    en = "Say who acts with --as FILE.p12 --password-file FILE (there is no demo officer in this data directory)."


def acting_person(platform: "Platform", file: Path | None, password_file: Path | None) -> Actor:
    """Sign in with the PKCS#12 file, or as the demo officer of an embedded installation; raises NobodyActs."""
    if file is None and platform.settings.shape == "embedded":
        account = Account.of(platform.data, OFFICER, "intl")
        file, password_file = account.file, account.password_file
    if file is None or password_file is None or not file.is_file() or not password_file.is_file():
        raise NobodyActs
    identity = Identity.load_p12(file, password_file.read_text("utf-8").strip())
    token = platform.client(identity).sign_in()
    return platform.authz.sessions.authenticate(token).actor
