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
    """No certificate and password file that can be read are named, and no demo officer is here in their place."""

    code = "ops.nobody_acts"
    zh = "请用 --as FILE.p12 --password-file FILE 两项说明由谁操作，并确认两个文件都存在。"
    en = "Say who acts with both --as FILE.p12 and --password-file FILE, and see that both files are there."


def acting_person(platform: "Platform", file: Path | None, password_file: Path | None) -> Actor:
    """Sign in with the PKCS#12 file, or as the demo officer of an embedded installation; raises NobodyActs."""
    token = platform.client(identity_of(platform, file, password_file)).sign_in()
    return platform.authz.sessions.authenticate(token).actor


def identity_of(platform: "Platform", file: Path | None, password_file: Path | None) -> Identity:
    """The key and certificate in the PKCS#12 file, or the demo officer's; raises NobodyActs, CannotOpenKeyFile."""
    if file is None and platform.settings.shape == "embedded":
        account = Account.of(platform.data, OFFICER, "intl")
        file, password_file = account.file, account.password_file
    if file is None or password_file is None or not file.is_file() or not password_file.is_file():
        raise NobodyActs
    return Identity.load_p12(file, password_file.read_text("utf-8").strip())
