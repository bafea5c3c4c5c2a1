"""The register of keys held against what the module holds."""

from collections import Counter
from dataclasses import dataclass

from kms.engine import Engine
from kms.errors import TokenNotOurs
from kms.find import list_keys
from kms.info import KeyInfo
from kms.models import Place, State
from yinxin.store import Store
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where the register and the token in use differ; keys by label."""

    #: active keys that the module should hold
    registered: int
    #: those that it does not hold
    missing: list[str]
    #: those in whose place it holds another key
    altered: list[str]
    #: keys of the token, registered or not, that could leave it: not SENSITIVE, or EXTRACTABLE
    loose: list[str]
    #: keys that were begun and are not finished
    unfinished: list[KeyInfo]

    @property
    def foreign(self) -> bool:
        """Whether the token holds none of the registered keys, so that it is not the one they were made in."""
        return 0 < self.registered == len(self.missing) + len(self.altered)

    def trouble(self, token: str) -> Text | None:
        """What is wrong with the keys in the token of this label, the worst first; None when nothing is."""
        if self.foreign:
            error = TokenNotOurs(token=token, number=self.registered)
            return Text(error.text("zh"), error.text("en"))
        for labels, zh, en in (
            (self.missing, "令牌中缺少已登记的密钥", "registered keys missing from the token"),
            (
                self.altered,
                "令牌中的密钥与登记的公钥不符",
                "keys in the token are not the registered ones",
            ),
            (
                self.loose,
                "令牌中有可被导出的密钥，请停用并查明来源",
                "keys in the token could leave it; stop using them and inquire",
            ),
        ):
            if labels:
                return Text(f"{zh}：{'、'.join(labels)}", f"{en}: {', '.join(labels)}")
        return None


def compare(store: Store, engine: Engine) -> Comparison:
    """Ask the register and the token in use; raises as `Token.use`."""
    keys = list_keys(store)
    registered = [key for key in keys if key.place is Place.HSM and key.state is State.ACTIVE]
    held = engine.inventory()
    number = Counter(each.identifier for each in held)
    public = {each.identifier: each.spki for each in held}
    labels = {key.handle: key.label for key in keys}
    return Comparison(
        registered=len(registered),
        missing=[key.label for key in registered if number[key.handle] != 1],
        altered=[
            key.label
            for key in registered
            if number[key.handle] == 1 and public[key.handle] != key.reference.spki
        ],
        loose=sorted(
            labels.get(each.identifier) or each.identifier.decode("ascii", "replace")
            for each in held
            if not each.stays
        ),
        unfinished=[key for key in keys if key.state is State.MAKING],
    )
