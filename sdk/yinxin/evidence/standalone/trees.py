"""Merkle trees of SHA-256 (RFC 6962 section 2), for the verifier that is one file."""

import hashlib


def hashed(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\0" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def included(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162 2.1.3.2); None when it has another length."""
    if not 0 <= index < size:
        return None
    position, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if position & 1 or position == last:
            found = _node(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = _node(found, sibling)
        position, last = position >> 1, last >> 1
    return found if last == 0 else None


def grown(edge: list[bytes], size: int, leaves: list[bytes]) -> bytes:
    """The root of a tree whose first `size` leaves have this right edge, with `leaves` after them."""
    stack = list(edge)
    for leaf in leaves:
        node, at = leaf, size
        while at & 1:
            node, at = _node(stack.pop(), node), at >> 1
        stack.append(node)
        size += 1
    if not stack:
        return hashlib.sha256(b"").digest()
    root = stack.pop()
    while stack:
        root = _node(stack.pop(), root)
    return root
