// Until when algorithms are believed.

import { compare, utf8 } from "./octets.js";
import { must, orBroken } from "./saying.js";
import { instant } from "./tlv.js";

// last days, as published (NIST SP 800-57 part 1 revision 5 table 4; draft NIST IR 8547 tables 2 and 4)
const PUBLISHED = [
  ["rsa-2048", instant(2030, 12, 31)],
  ["rsa-3072", instant(2035, 12, 31)],
  ["rsa-4096", instant(2035, 12, 31)],
  ["ecdsa-p256", instant(2035, 12, 31)],
  ["ecdsa-p384", instant(2035, 12, 31)],
  ["ed25519", instant(2035, 12, 31)],
];
const DAY = 86_400_000_000n;
const LINE = /^(?:([A-Za-z0-9_-]+)|"([^"\\]+)")[ \t]*=[ \t]*(\d{4})-(\d\d)-(\d\d)$/;

/** Which of two ends is first: the earlier, and of two at one time the first by name. */
const before = ([at, name], [other, another]) =>
  at === other ? compare(utf8(name), utf8(another)) : Number(at > other) - Number(at < other);

/** The first of these ends, each an instant and a name. */
export const earliest = (ends) => [...ends].sort(before)[0];

/** The published table, with the reader's own days in place of it or beside. */
export class Ages {
  /** `text`: a table `[until]` of names and days, as in `algorithms.toml`; nothing else is read. */
  constructor(text = "[until]") {
    this.last = new Map(PUBLISHED);
    const lines = text.split("\n").map((each) => each.replace(/#[^"]*$/, "").trim()).filter(Boolean);
    orBroken("算法期限表有误", "the table of algorithms is wrong", () => {
      must(lines[0] === "[until]", "no table");
      const own = new Map();
      for (const line of lines.slice(1)) {
        const found = LINE.exec(line);
        const name = found?.[1] ?? found?.[2];
        must(name && !own.has(name), "no day, or one twice");
        own.set(name, instant(...found.slice(3).map(Number)));
      }
      for (const [name, day] of own) this.last.set(name, day);
    });
  }

  /** Which of these ends first, and when; nothing when none does. */
  first(names) {
    const ends = names.filter((name) => this.last.has(name)).map((name) => [this.last.get(name) + DAY, name]);
    return ends.length ? [earliest(ends)] : [];
  }
}
