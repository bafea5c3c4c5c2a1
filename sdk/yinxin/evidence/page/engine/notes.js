// Signed notes, checkpoints and policies of witnesses (c2sp.org).

import { sha256 } from "@noble/hashes/sha2.js";
import { hex, joined, number, octetsOf, parted, utf8 } from "./octets.js";
import { Broken, Malformed, must, orBroken } from "./saying.js";
import { ed25519 } from "./signature.js";

// signature types (c2sp.org/signed-note): a log's and a witness's, both Ed25519
const [LOG, WITNESS] = [0x01, 0x04];

/** A key text, `name+id+base64(type ‖ key)`: name, key identifier, signature type and key. */
export class Key {
  constructor(text) {
    must(typeof text === "string", "no text");
    const [name, after] = parted(text, "+");
    const [shown, rest] = parted(after ?? "", "+");
    const data = orBroken(`公钥“${shorter(text)}”无法使用`, `the key “${shorter(text)}” cannot be used`, () => octetsOf(rest));
    this.name = name;
    this.id = sha256(joined(utf8(`${name}\n`), data)).subarray(0, 4);
    [this.kind] = data;
    this.key = data.subarray(1);
    if (hex(this.id) !== shown) throw new Broken(`公钥 ${name} 的编号不符`, `the key of ${name} has another identifier`);
  }

  /** What tells one line of a note from another. */
  get place() {
    return `${this.name} ${hex(this.id)}`;
  }

  equals(other) {
    return this.place === other.place && this.kind === other.kind && hex(this.key) === hex(other.key);
  }
}

const shorter = (text) => [...text].slice(0, 60).join("");

/** A number as it is written in notes. */
export function decimal(text) {
  must(/^(?:0|[1-9][0-9]{0,18})$/.test(text), "no number");
  return BigInt(text);
}

/** Whom the reader believes (c2sp.org/tlog-policy), as far as Ed25519 goes. */
export class Policy {
  witnesses = new Map();
  groups = new Map();
  quorum = "none";

  constructor(text) {
    text.split("\n").forEach((line, place) => {
      const words = line.trim().split(/\s+/);
      if (!words[0] || words[0].startsWith("#")) return;
      orBroken(`见证规则第 ${place + 1} 行有误`, `line ${place + 1} of the policy is wrong`, () => this.take(words));
    });
  }

  take([kind, name, third, ...members]) {
    must(name !== undefined, "no name");
    const known = (each) => this.witnesses.has(each) || this.groups.has(each);
    if (kind === "log") new Key(name); // eslint-disable-line no-new -- read for what it raises
    else if (kind === "witness") this.witnesses.set(name, new Key(third));
    else if (kind === "group") {
      must(members.every(known), "a name that is not defined before");
      const counts = new Map([["any", 1n], ["all", BigInt(members.length)]]);
      const threshold = counts.get(third) ?? decimal(third);
      must(threshold >= 1n && threshold <= BigInt(members.length), "no such threshold");
      this.groups.set(name, [Number(threshold), members]);
    } else if (kind === "quorum" && (name === "none" || known(name))) this.quorum = name;
    else throw new Malformed("an unknown line");
  }

  /** The name that the policy has for this key, if it has one. */
  named(key) {
    return [...this.witnesses].reverse().find(([, each]) => each.equals(key))?.[0];
  }

  /** Whether these witnesses make up the quorum. */
  satisfied(by) {
    const held = new Map([...this.witnesses.keys()].map((name) => [name, by.has(name)]));
    for (const [name, [threshold, members]] of this.groups) {
      held.set(name, members.filter((each) => held.get(each)).length >= threshold);
    }
    return this.quorum === "none" || held.get(this.quorum);
  }
}

/**
 * A checkpoint that one of the logs has signed: origin, size, root, and when each believed witness cosigned it (POSIX seconds).
 *
 * With a policy every line must be by a key of the policy, of the logs, or of those that the file lists. Raises Broken.
 */
export function head(note, logs, policy, listed = []) {
  must(typeof note === "string", "no text");
  const blank = note.lastIndexOf("\n\n");
  const text = note.slice(0, Math.max(blank, 0)) + "\n";
  const lines = note.slice(blank + 2);
  const found = orBroken("检查点格式不对", "the checkpoint is malformed", () => {
    const parts = text.split("\n");
    must(blank >= 0 && parts.length === 4 && !parts[3] && lines.endsWith("\n"), "another form");
    const [origin, size, root] = [parts[0], decimal(parts[1]), octetsOf(parts[2])];
    must(root.length === 32, "no root");
    return { origin, size, root, cosigned: new Map() };
  });
  const known = new Map([...listed, ...(policy?.witnesses.values() ?? []), ...logs].map((key) => [key.place, key]));
  const seen = new Set();
  let signed = false;
  for (const line of lines.slice(0, -1).split("\n")) {
    const [name, signature] = signatureLine(line);
    const place = `${name} ${hex(signature.subarray(0, 4))}`;
    const key = known.get(place);
    if ((!key && policy) || seen.has(place)) {
      throw new Broken(`${name} 的签名来历不明`, `a signature by ${name} that nobody explains`);
    }
    seen.add(place);
    if (key?.kind === LOG && name === found.origin) {
      valid(ed25519(key.key, utf8(text), signature.subarray(4)), name);
      signed = true;
    } else if (key?.kind === WITNESS) {
      const time = number(signature.subarray(4, 12));
      const message = utf8(`cosignature/v1\ntime ${time}\n${text}`);
      valid(time > 0n && ed25519(key.key, message, signature.subarray(12)), name);
      const called = policy?.named(key);
      if (called !== undefined) found.cosigned.set(called, time);
    }
  }
  if (!signed) throw new Broken("检查点没有该日志的签名", "the checkpoint is not signed by that log");
  if (policy && !policy.satisfied(found.cosigned)) {
    const who = [...found.cosigned.keys()].join(", ") || "-";
    throw new Broken(`检查点的见证不足：${who}`, `too few witnesses cosigned the checkpoint: ${who}`);
  }
  return found;
}

function signatureLine(line) {
  const [dash, rest] = parted(line, " ");
  const [name, text] = parted(rest ?? "", " ");
  const wrong = ["检查点的签名行格式不对", "a signature line of the checkpoint is malformed"];
  return orBroken(...wrong, () => {
    const signature = octetsOf(text);
    must(dash === "\u2014" && name && signature.length > 4, "another form");
    return [name, signature];
  });
}

function valid(held, name) {
  if (!held) throw new Broken(`${name} 的签名无效`, `the signature of ${name} does not hold`);
}
