// Merkle trees of SHA-256 (RFC 6962 section 2).

import { sha256 } from "@noble/hashes/sha2.js";
import { joined } from "./octets.js";

/** The hash of a leaf. */
export const hashed = (data) => sha256(joined([0], data));

const node = (left, right) => sha256(joined([1], left, right));

/** The root that an audit path leads to (RFC 9162 2.1.3.2); null when it has another length. Numbers are BigInt. */
export function included(leaf, index, size, path) {
  if (!(index >= 0n && index < size)) return null;
  let [position, last, found] = [index, size - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) return null;
    if (position & 1n || position === last) {
      found = node(sibling, found);
      while (!(position & 1n) && position) [position, last] = [position >> 1n, last >> 1n];
    } else found = node(found, sibling);
    [position, last] = [position >> 1n, last >> 1n];
  }
  return last === 0n ? found : null;
}

/** The root of a tree whose first `size` leaves have this right edge, with `leaves` after them. */
export function grown(edge, size, leaves) {
  const stack = [...edge];
  let count = size;
  for (const leaf of leaves) {
    let [part, at] = [leaf, count];
    for (; at & 1n; at >>= 1n) part = node(stack.pop(), part);
    stack.push(part);
    count += 1n;
  }
  if (!stack.length) return sha256(new Uint8Array());
  let root = stack.pop();
  while (stack.length) root = node(stack.pop(), root);
  return root;
}
