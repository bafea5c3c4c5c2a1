// Distinguished encoding (X.690) read strictly; what is not so raises Malformed.

import { ascii, hex, joined, number } from "./octets.js";
import { must } from "./saying.js";

const NESTED = 48;
const TIME = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z$/;

/** Where the content of the element at `at` begins and ends. */
function extent(data, at) {
  let start = at + 2;
  must(start <= data.length && (data[at] & 0x1f) !== 0x1f, "no element");
  let size = data[at + 1];
  if (size & 0x80) {
    const count = size & 0x7f;
    must(count > 0 && count <= 4 && start + count <= data.length, "a length that is not minimal");
    size = data.subarray(start, start + count).reduce((sum, octet) => sum * 256 + octet, 0);
    start += count;
    must(size >= 0x80 && size >= 256 ** (count - 1), "a length that is not minimal");
  }
  must(start + size <= data.length, "cut off");
  return [start, start + size];
}

/** The elements inside one element of this tag. */
export function children(data, tag = 0x30) {
  let [at, end] = extent(data, 0);
  must(data[0] === tag && end === data.length, "another element");
  const found = [];
  while (at < end) {
    const after = extent(data, at)[1];
    must(after <= end, "overruns its parent");
    found.push(data.subarray(at, after));
    at = after;
  }
  return found;
}

/** Those elements, when there are so many and no other number. */
export function just(count, list) {
  must(list.length === count, "another number of elements");
  return list;
}

/** Those elements, when there are so many or more. */
export function least(count, list) {
  must(list.length >= count, "fewer elements");
  return list;
}

/** The content of one element, of this tag where it is given. */
export function inside(data, tag = null) {
  const [start, end] = extent(data, 0);
  must(end === data.length && (tag === null || tag === data[0]), "another element");
  return data.subarray(start, end);
}

/** One element. */
export function written(tag, content) {
  const size = content.length;
  if (size < 0x80) return joined([tag, size], content);
  const length = [];
  for (let rest = size; rest; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  return joined([tag, 0x80 | length.length, ...length], content);
}

function another(tag, value) {
  const [first, second] = value;
  switch (tag) {
    case 0x01:
      return value.length !== 1 || (first !== 0 && first !== 0xff);
    case 0x05:
      return value.length > 0;
    case 0x02:
    case 0x0a:
      return !value.length || (value.length > 1 && ((!first && !(second >> 7)) || (first === 0xff && second >> 7)));
    case 0x06:
      return !value.length || value.at(-1) & 0x80;
    case 0x03:
      return !value.length || first > 7 || (first && (value.length === 1 || value.at(-1) & ((1 << first) - 1)));
    default:
      return tag === 0x10 || tag === 0x11;
  }
}

function walk(data, at, limit, depth) {
  const [start, end] = extent(data, at);
  must(end <= limit, "overruns its parent");
  const tag = data[at];
  if (tag & 0x20) {
    must(depth <= NESTED && (tag >= 0x40 || tag === 0x30 || tag === 0x31), "nested too deeply, or a string in parts");
    for (let each = start; each < end; ) each = walk(data, each, end, depth + 1);
  } else must(!another(tag, data.subarray(start, end)), "a value in another spelling");
  return end;
}

/** The element, every part of it in its one spelling. */
export function strict(data) {
  must(walk(data, 0, data.length, 0) === data.length, "another element");
  return data;
}

/** An object identifier as text. */
export function arcs(data) {
  const found = [];
  let value = 0n;
  for (const octet of inside(data, 0x06)) {
    value = (value << 7n) | BigInt(octet & 0x7f);
    if (!(octet & 0x80)) {
      found.push(value);
      value = 0n;
    }
  }
  must(found.length > 0 && inside(data).length <= 64, "no object identifier");
  const first = found[0] < 80n ? found[0] / 40n : 2n;
  return [first, found[0] - 40n * first, ...found.slice(1)].join(".");
}

/** An INTEGER or ENUMERATED. */
export function whole(data) {
  must(data[0] === 0x02 || data[0] === 0x0a, "no number");
  const value = inside(data);
  return BigInt.asIntN(8 * value.length, number(value));
}

/** Microseconds since 1970 of a date and a time of day in UTC; raises Malformed for one that there is not. */
export function instant(year, month, day, hour = 0, minute = 0, second = 0, micros = 0) {
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  at.setUTCHours(hour, minute, second);
  const told = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes()];
  const so = [year, month, day, hour, minute].every((part, place) => part === told[place]);
  must(so && year > 0 && second === at.getUTCSeconds(), "no time");
  return BigInt(at.getTime()) * 1000n + BigInt(micros);
}

/** A UTCTime or GeneralizedTime, in microseconds since 1970. */
export function moment(data) {
  const found = TIME.exec(ascii(inside(data).subarray(0, 64)));
  must(found && inside(data).length <= 64, "no time");
  const short = data[0] === 0x17;
  must((short && found[1].length === 2 && !found[7]) || (data[0] === 0x18 && found[1].length === 4), "no time");
  const year = short ? 1950 + ((Number(found[1]) + 50) % 100) : Number(found[1]);
  const fraction = Number((found[7] ?? "").padEnd(6, "0").slice(0, 6));
  return instant(year, ...found.slice(2, 7).map(Number), fraction);
}

/** Elements by their octets. */
export const name = hex;
