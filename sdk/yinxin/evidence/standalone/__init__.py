"""The verifier that needs nothing but Python: made one file of its parts here, for whoever has neither platform nor kit."""

import re
from importlib import resources

#: what one part takes of another
_TAKEN = re.compile(r"^from yinxin\.evidence\.standalone\.(\w+) import (?:\([^)]*\)|.*)\n", re.MULTILINE)
_DOCSTRING = re.compile(r'\A"""[^"]*"""\n')


def build() -> bytes:
    """The file, as it is handed out: the same octets for everybody. Each part stands after those that it takes from."""
    parts = resources.files(__name__)
    texts: dict[str, str] = {}

    def gather(name: str) -> None:
        text = parts.joinpath(f"{name}.py").read_text("utf-8")
        for each in _TAKEN.findall(text):
            if each not in texts:
                gather(each)
        texts[name] = text

    gather("verify")
    main = texts.pop("verify")
    first = _TAKEN.search(main)
    at = first.start() if first else len(main)
    bodies = [_TAKEN.sub("", _DOCSTRING.sub("", text)).strip("\n") for text in texts.values()]
    return "\n\n\n".join((main[:at].rstrip("\n"), *bodies, _TAKEN.sub("", main[at:]).lstrip("\n"))).encode()
