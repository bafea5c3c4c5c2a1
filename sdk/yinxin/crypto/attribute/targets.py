"""For whom an attribute certificate is meant (targetInformation, RFC 5755 4.3.2): servers by name, or groups of them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from yinxin.crypto import der
from yinxin.crypto.general_names import GeneralName, read_general_names, write_general_name


@dataclass(frozen=True)
class Target:
    """One target: a general name of kind `uri`, `dns` or `dirname`; `group` when it names many servers at once."""

    name: GeneralName
    group: bool = False

    @classmethod
    def of(cls, text: str, *, group: bool = False) -> "Target":
        """The target that a person writes: an address with a scheme is a URI, anything else a host name."""
        return cls(("uri" if "://" in text or text.startswith("urn:") else "dns", text), group)

    @property
    def text(self) -> str:
        """For readers."""
        return self.name[1]


def write_targets(targets: Iterable[Target]) -> bytes:
    """The extension's value: one Targets, as those who issue must write it. Raises MalformedTemplate."""
    return der.sequence(
        der.sequence(
            *(der.explicit(int(each.group), write_general_name(*each.name, "targets")) for each in targets)
        )
    )


def read_targets(encoded: bytes) -> tuple[Target, ...]:
    """Every target of every Targets, as if they stood in one; raises MalformedDer or ValueError.

    A target by certificate (targetCert) is not supported, so that it matches nobody.
    """
    found = []
    for targets in der.elements(encoded):
        for each in der.elements(targets):
            if each[0] not in (0xA0, 0xA1, 0xA2):
                raise ValueError("an unknown kind of target")
            if each[0] == 0xA2:
                found.append(Target(("other", each.hex())))
                continue
            (name,) = read_general_names(der.sequence(der.tagged(each, each[0] & 0x1F)))
            found.append(Target(name, group=each[0] == 0xA1))
    if not found:
        raise ValueError("no target")
    return tuple(found)


def meant_for(targets: Iterable[Target], own: Collection[str], groups: Collection[str]) -> bool:
    """Whether one of the targets is the verifier: called one of `own`, or a member of one of `groups`.

    Host names are compared without regard to case; addresses as they are written.
    """
    for each in targets:
        kind, text = each.name
        names = groups if each.group else own
        if kind == "other":
            continue
        if text in names or (kind == "dns" and text.lower() in {name.lower() for name in names}):
            return True
    return False
