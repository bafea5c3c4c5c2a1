// Octets and text: Uint8Array in, Uint8Array out.

import { Malformed, must } from "./saying.js";

const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"));
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map([...LETTERS].map((letter, value) => [letter.charCodeAt(0), value]));

/** Lower-case hexadecimal. */
export const hex = (data) => {
  let text = "";
  for (const octet of data) text += HEX[octet];
  return text;
};

/** What hexadecimal spells, in either case and without spaces. */
export function unhex(text) {
  must(typeof text === "string" && /^(?:[0-9a-fA-F]{2})*$/.test(text), "not hexadecimal");
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

export function same(one, other) {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

/** Which comes first, octet by octet: below zero, zero or above. */
export function compare(one, other) {
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at += 1) if (one[at] !== other[at]) return one[at] - other[at];
  return one.length - other.length;
}

export function joined(...parts) {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** An unsigned number, the greatest octet first. */
export const number = (data) => (data.length ? BigInt(`0x${hex(data)}`) : 0n);

/** A number in so many octets. */
export const spelt = (value, size) => unhex(value.toString(16).padStart(2 * size, "0"));

const encoder = new TextEncoder();
/** UTF-8; raises Malformed for halves of characters. */
export function utf8(text) {
  must(!/[\ud800-\udfff]/u.test(text), "half a character"); // with u, whole ones do not match
  return encoder.encode(text);
}

/** What UTF-8 spells, with a mark at its begin kept; raises Malformed. */
export function text(data) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch (error) {
    throw new Malformed("no UTF-8", { cause: error });
  }
}

export const ascii = (data) => String.fromCharCode(...data);

export function begins(data, start) {
  return data.length >= start.length && same(data.subarray(0, start.length), encoder.encode(start));
}

export function base64(data) {
  let found = "";
  for (let at = 0; at < data.length; at += 3) {
    const three = (data[at] << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
    found += LETTERS[three >> 18] + LETTERS[(three >> 12) & 63];
    found += at + 1 < data.length ? LETTERS[(three >> 6) & 63] : "=";
    found += at + 2 < data.length ? LETTERS[three & 63] : "=";
  }
  return found;
}

/** What base64 spells, in the one spelling, and something; raises Malformed. */
export function octetsOf(spelling) {
  must(typeof spelling === "string" && spelling.length > 0 && spelling.length % 4 === 0, "not base64");
  const padding = spelling.endsWith("==") ? 2 : Number(spelling.endsWith("="));
  const end = spelling.length - padding;
  const found = new Uint8Array((spelling.length / 4) * 3 - padding);
  let bits = 0;
  let held = 0;
  let to = 0;
  for (let at = 0; at < end; at += 1) {
    const value = VALUES.get(spelling.charCodeAt(at));
    must(value !== undefined, "not base64");
    held = (held << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      found[to] = held >> bits;
      held &= (1 << bits) - 1;
      to += 1;
    }
  }
  must(held === 0, "not base64 as it is spelt");
  return found;
}

/** What stands before the first `mark`, and after it; the second is null when there is none. */
export function parted(whole, mark) {
  const at = whole.indexOf(mark);
  return at < 0 ? [whole, null] : [whole.slice(0, at), whole.slice(at + mark.length)];
}
