"""What the library that parses certificates has read in extensions, kept with their octets."""

from collections.abc import Mapping

from cryptography import x509

from yinxin.crypto import der, oids
from yinxin.crypto.oids import Extension

#: what the library has read in an extension; when there are more it begins anew
_known: dict[Extension, x509.ExtensionType] = {}
_KEEP = 1024
#: octets of one that is remembered: what a stranger sends must not fill the memory
_SIZE = 512


def values_of(
    parsed: x509.Certificate, extensions: Mapping[str, Extension]
) -> Mapping[type[x509.ExtensionType], x509.ExtensionType]:
    """What the extensions say, by the library's kinds, all but the subject key identifier; raises what the library does.

    The library reads every extension of a certificate or none. Where it has read each of these before, in other certificates
    of the same issuer and profile, it is not asked again: the identifier alone is each certificate's own, and read here.
    """
    found = {}
    for each in extensions.values():
        if each.oid == oids.SUBJECT_KEY_ID:
            whole_octets(each.value)
        elif (value := _known.get(each)) is not None:
            found[type(value)] = value
        else:
            break
    else:
        return found
    if len(_known) >= _KEEP:
        _known.clear()
    for read in parsed.extensions:
        extension = extensions[read.oid.dotted_string]
        if extension.oid != oids.SUBJECT_KEY_ID and len(extension.value) <= _SIZE:
            _known[extension] = read.value
    return {type(each.value): each.value for each in parsed.extensions}


def whole_octets(value: bytes) -> bytes:
    """The content of an OCTET STRING and nothing beside it; raises MalformedDer."""
    tag, start, end = der.header(value)
    der.require(tag == der.OCTET_STRING and end == len(value), "not one OCTET STRING")
    return value[start:end]
