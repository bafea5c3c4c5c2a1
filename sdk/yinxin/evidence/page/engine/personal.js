// Commitments to personal fields, and the fields that are opened.

import { sha256 } from "@noble/hashes/sha2.js";
import { field, keyed, spelling } from "./json.js";
import { hex, joined, unhex, utf8 } from "./octets.js";
import { Broken, held, must } from "./saying.js";

// what the fields are called
const TITLES = new Map([
  ["person_name", ["姓名", "name of a person"]],
  ["contact", ["联系方式", "contact data"]],
  ["identity_number", ["证件号码", "identity number"]],
  ["network_address", ["网络地址", "network address"]],
  ["file_name", ["文件名", "name of a file"]],
  ["grounds", ["理由", "grounds, in free text"]],
  ["note", ["说明", "note, in free text"]],
]);

const NONE = new Map([["v", 1n], ["fields", new Map()]]);

export const titled = (name) => TITLES.get(name) ?? [name, name];

/** Whether every letter can be seen, and none is a space but the usual one. */
export const printable = (value) => /^(?: |[^\p{C}\p{Z}])*$/u.test(value);

/** A text with everything that is not ASCII, or cannot be seen, spelt out. */
function ascii(value) {
  const quote = value.includes("'") && !value.includes('"') ? null : "'";
  return [...value]
    .map((letter) => {
      const code = letter.codePointAt(0);
      if (letter === "\\" || letter === quote) return `\\${letter}`;
      if (letter === "\n" || letter === "\r" || letter === "\t") return { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[letter];
      if (code >= 0x20 && code < 0x7f) return letter;
      const [mark, size] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
      return `\\${mark}${code.toString(16).padStart(size, "0")}`;
    })
    .join("");
}

/** The SHA-256 that an entry holds of one of its personal fields, hexadecimal. */
export const commitment = (salt, entry, name, value) =>
  hex(sha256(joined(salt, utf8(spelling(["yinxin-personal@v1", entry, name, value])))));

/** The opened fields of an entry, each held against it; those that are not are counted in `withheld`. */
export function opened(event, openings, withheld) {
  const block = event.has("personal") ? field(event, "personal", "map") : NONE;
  const fields = field(block, "fields", "map");
  must(block.get("v") === 1n, "of another version");
  if ( ![...openings.keys()].every((name) => fields.has(name))) {
    throw new Broken("开示了记录中没有的字段", "a field is opened that the entry does not commit to");
  }
  const told = [];
  for (const [name, committed] of fields) {
    const opening = openings.get(name);
    if (opening === undefined) {
      withheld.set(name, (withheld.get(name) ?? 0) + 1);
      continue;
    }
    const [salt, value] = [unhex(field(opening, "salt", "string")), opening.get("value")];
    must(keyed(opening, "salt", "value") && opening.get("salt") === hex(salt), "another spelling");
    const id = field(event, "id", "string");
    const expected = field(committed, "sha256", "string");
    if (salt.length !== 16 || commitment(salt, id, name, value) !== expected) {
      throw new Broken(
        `记录 ${id} 的“${name}”与记录中的承诺不符`,
        `the ${name} given for entry ${id} is not what the entry commits to`,
      );
    }
    const spelt = printable(value) && value.normalize("NFC") === value ? value : ascii(value);
    const [zh, en] = titled(name);
    told.push(held(`${zh}与记录中的承诺相符：${spelt}`, `${en}, as the entry commits to: ${spelt}`));
  }
  return told;
}
