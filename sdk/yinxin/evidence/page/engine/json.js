// JSON (RFC 8259) read as it stands: objects are Map, whole numbers BigInt, others keep their spelling; and written in the one spelling.

import { compare, text, utf8 } from "./octets.js";
import { Malformed, must } from "./saying.js";

const NESTED = 500;
const DIGITS = 4300;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORDS = new Map([["true", true], ["false", false], ["null", null]]);

/** A number that is not whole. */
class Fraction {
  constructor(spelling) {
    this.spelling = spelling;
  }
}

class Reader {
  constructor(source) {
    this.source = source;
    this.at = 0;
  }

  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (!found) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }

  sign(letter) {
    this.take(SPACE);
    if (this.source[this.at] !== letter) return false;
    this.at += 1;
    return true;
  }

  value(depth) {
    must(depth < NESTED, "nested too deeply");
    if (this.sign("{")) return this.object(depth);
    if (this.sign("[")) return this.array(depth);
    for (const [word, meaning] of WORDS) {
      if (this.source.startsWith(word, this.at)) {
        this.at += word.length;
        return meaning;
      }
    }
    if (this.source[this.at] === '"') return this.string();
    const number = this.take(NUMBER);
    must(number && number.length <= DIGITS, "no JSON");
    return /^-?[0-9]+$/.test(number) ? BigInt(number) : new Fraction(number);
  }

  string() {
    const found = this.take(STRING);
    must(found, "no JSON");
    return JSON.parse(found);
  }

  array(depth) {
    const found = [];
    if (this.sign("]")) return found;
    do found.push(this.value(depth + 1));
    while (this.sign(","));
    must(this.sign("]"), "no JSON");
    return found;
  }

  object(depth) {
    const found = new Map();
    if (this.sign("}")) return found;
    do {
      this.take(SPACE);
      const key = this.string();
      must(this.sign(":"), "no JSON");
      found.set(key, this.value(depth + 1));
    } while (this.sign(","));
    must(this.sign("}"), "no JSON");
    return found;
  }
}

/** What these octets say; raises Malformed. */
export function parsed(data) {
  const reader = new Reader(text(data));
  const found = reader.value(0);
  reader.take(SPACE);
  must(reader.at === reader.source.length, "more than one value");
  return found;
}

function quoted(value, ascii) {
  const found = JSON.stringify(value);
  if (!ascii) return found;
  return found.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A value as text, with keys in their order; `ascii` spells out all other letters, `between` and `after` part its elements. */
export function spelling(value, { ascii = false, between = ",", after = ":" } = {}) {
  const inner = (each) => spelling(each, { ascii, between, after });
  if (value instanceof Map) {
    const parts = [...value].map(([key, each]) => quoted(key, ascii) + after + inner(each));
    return `{${parts.join(between)}}`;
  }
  if (Array.isArray(value)) return `[${value.map(inner).join(between)}]`;
  if (typeof value === "string") return quoted(value, ascii);
  return value instanceof Fraction ? value.spelling : String(value);
}

/** Names in the order of their code points. */
export const ordered = (names) => [...names].sort((one, other) => compare(utf8(one), utf8(other)));

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (!(value instanceof Map)) return value;
  return new Map(ordered(value.keys()).map((key) => [key, sorted(value.get(key))]));
}

/** The octets in the one spelling. */
export const canonical = (value) => utf8(spelling(sorted(value)));

/** A field that must be there, of this kind: "string", "bigint", "array" or "map"; raises Malformed. */
export function field(value, key, kind) {
  must(value instanceof Map && value.has(key), `no ${key}`);
  const found = value.get(key);
  const is = Array.isArray(found) ? "array" : found instanceof Map ? "map" : typeof found;
  if (is !== kind) throw new Malformed(`${key} is no ${kind}`);
  return found;
}

/** Whether an object has these keys and no others. */
export const keyed = (value, ...keys) =>
  value instanceof Map && value.size === keys.length && keys.every((key) => value.has(key));
