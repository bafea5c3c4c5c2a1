"""Rules that the RFC of each kind of key adds to those of RFC 5280."""

from collections.abc import Iterator

from ca.lint.case import Case, Rules

rules = Rules()


@rules("RFC 4055 1.2, 8813 3, 9295 3, 9881 5, 9935 5")
def usage(case: Case) -> Iterator[str]:
    """No usage that the kind of key cannot serve: what signs encrypts nothing, and the other way round."""
    key = case.certificate.public_key
    for name in sorted((case.certificate.key_usage or frozenset()) - key.usages):
        yield f"a {key.algorithm} key cannot be certified for {name}"
