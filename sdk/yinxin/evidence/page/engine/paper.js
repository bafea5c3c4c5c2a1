// Certificates, revocation lists and the way to a root (RFC 5280) as far as timestamps need it.
//
// What is not understood is refused, never passed over: a certificate that this page cannot judge, `yinxin verify` may.

import { sha256 } from "@noble/hashes/sha2.js";
import { hex, joined, octetsOf, same } from "./octets.js";
import { Broken, Ended, Malformed, Unheard, must } from "./saying.js";
import { holds, kindOf, used } from "./signature.js";
import { arcs, children, inside, just, least, moment, strict, whole, written } from "./tlv.js";

const [USAGE, BASIC, PURPOSES] = ["2.5.29.15", "2.5.29.19", "2.5.29.37"];
const [POINTS, SCOPE, DELTA] = ["2.5.29.31", "2.5.29.28", "2.5.29.27"];
const [NUMBER, REASON, SINCE] = ["2.5.29.20", "2.5.29.21", "2.5.29.24"];
const [AUTHORITY_KEY, NEWEST] = ["2.5.29.35", "2.5.29.46"];
// extensions that may be critical: besides these alternative names, policies and the key identifier
const READ = new Set([USAGE, BASIC, PURPOSES, POINTS, AUTHORITY_KEY, NEWEST, "2.5.29.17", "2.5.29.32", "2.5.29.14"]);
const READ_OF_LIST = new Set([SCOPE, NUMBER, DELTA, AUTHORITY_KEY, NEWEST]);
const STAMPING = "1.3.6.1.5.5.7.3.8";
const COMMON_NAME = "2.5.4.3";
const HOLD = 6n;
// certificates on one way, and steps that are tried until one is found
const [MOST, MOST_STEPS] = [8, 200];
const SECOND = 1_000_000n;
/** The whole second that an instant lies in. */
const floor = (at) => at - (((at % SECOND) + SECOND) % SECOND);

function extensionsOf(element, tag) {
  const found = new Map();
  for (const each of children(inside(element, tag))) {
    const parts = least(2, children(each));
    const [name, flag, value] = [parts[0], parts.slice(1, -1), parts.at(-1)];
    must(!found.has(arcs(name)), "an extension twice");
    const critical = flag.length > 0 && same(inside(flag[0], 0x01), [0xff]);
    found.set(arcs(name), { critical, value: inside(value, 0x04) });
  }
  return found;
}

/** A certificate (section 4.1). */
export class Certificate {
  #name;
  #signers = new Map();

  constructor(der) {
    const [tbs, outer, signature] = just(3, children(strict(der)));
    const fields = children(tbs);
    const third = same(fields[0], [0xa0, 3, 2, 1, 2]) && same(fields[2], outer);
    must(third, "no certificate of version 3");
    this.der = der;
    this.id = hex(sha256(der));
    this.tbs = tbs;
    this.signature = signature;
    // serial number, algorithm, issuer, validity, subject, key and what follows
    this.fields = fields.slice(1);
  }

  get issuer() {
    return this.fields[2];
  }

  get subject() {
    return this.fields[4];
  }

  /** The SubjectPublicKeyInfo. */
  get key() {
    return this.fields[5];
  }

  /** How a signature names it: by issuer and serial number. */
  get place() {
    return written(0x30, joined(this.issuer, this.fields[0]));
  }

  /** By object identifier: whether it is critical, and its value. */
  get extensions() {
    const last = this.fields.at(-1);
    return last[0] === 0xa3 ? extensionsOf(last, 0xa3) : new Map();
  }

  /** First and last second. */
  get span() {
    return just(2, children(this.fields[3]).map(moment));
  }

  /** The common name of its subject, or all of it. */
  get name() {
    if (this.#name === undefined) {
      const pairs = children(this.subject).flatMap((part) => children(part, 0x31)).map((pair) => just(2, children(pair)));
      const read = new TextDecoder("utf-8", { ignoreBOM: true });
      const texts = new Map(pairs.map(([kind, value]) => [arcs(kind), read.decode(inside(value))]));
      this.#name = texts.get(COMMON_NAME) || [...texts.values()].join(", ");
    }
    return this.#name;
  }

  /** Whether it may issue others, and how many may stand between (null: any number). */
  get authority() {
    const found = this.extensions.get(BASIC);
    const parts = found ? children(found.value) : [];
    const marked = parts.length > 0 && same(parts[0], [1, 1, 0xff]);
    return [marked, parts.length > 1 ? whole(parts[1]) : null];
  }

  /** Whether its key usage has this bit; without the extension it has all. */
  may(bit) {
    const found = this.extensions.get(USAGE);
    if (!found) return true;
    const bits = inside(found.value, 0x03).subarray(1);
    return Boolean(((bits[bit >> 3] ?? 0) >> (7 - (bit % 8))) & 1);
  }

  /** Family and hash of the signature on it. */
  get algorithm() {
    return used(this.fields[1]);
  }

  /** Whether that one signed it. */
  by(issuer) {
    if (!this.#signers.has(issuer.id)) {
      const named = same(this.issuer, issuer.subject);
      const signed = named && holds(issuer.key, this.algorithm, inside(this.signature, 0x03).subarray(1), this.tbs);
      this.#signers.set(issuer.id, signed);
    }
    return this.#signers.get(issuer.id);
  }
}

/** A revocation list (section 5.1) for everything of its issuer, or for the certificates of one point. */
export class Revocations {
  constructor(der) {
    const [tbs, outer, signature] = just(3, children(strict(der)));
    const fields = children(tbs);
    const second = same(fields[0], [2, 1, 1]) && same(fields[1], outer);
    must(second && (fields.length === 6 || fields.length === 7), "no list of version 2");
    Object.assign(this, { tbs, outer, signature });
    this.issuer = fields[2];
    this.extensions = extensionsOf(fields.at(-1), 0xa0);
    const strange = [...this.extensions].some(([name, { critical }]) => critical && !READ_OF_LIST.has(name));
    must(!strange && this.extensions.has(NUMBER), "a list that is not understood");
    // when it was made, and when the next one is due
    this.times = [moment(fields[3]), moment(fields[4])];
    must(this.times[0] <= this.times[1], "an end before its begin");
    whole(this.extensions.get(NUMBER).value);
    // by serial number (INTEGER): from when it is revoked, and whether only held
    this.listed = new Map(fields.length === 7 ? children(fields[5]).map(entryOf) : []);
  }

  /** Whether that one signed it, and may. */
  by(issuer) {
    if (!same(this.issuer, issuer.subject) || !issuer.may(6)) return false;
    return holds(issuer.key, used(this.outer), inside(this.signature, 0x03).subarray(1), this.tbs);
  }

  /** Whether it speaks of this one; lists of some reasons only, of others' certificates, and changes to lists never do here. */
  covers(certificate) {
    if (this.extensions.has(DELTA)) return false;
    const scope = this.extensions.get(SCOPE);
    const parts = new Map(scope ? children(scope.value).map((each) => [each[0], each]) : []);
    if ([...parts.keys()].some((tag) => ![0xa0, 0x81, 0x82].includes(tag))) return false;
    if (parts.has(certificate.authority[0] ? 0x81 : 0x82)) return false;
    if (!parts.has(0xa0)) return true;
    const points = certificate.extensions.get(POINTS);
    const theirs = (points ? children(points.value) : [])
      .flatMap((point) => children(point))
      .filter((part) => part[0] === 0xa0)
      .flatMap(full)
      .map(hex);
    const ours = new Set(full(parts.get(0xa0)).map(hex));
    return theirs.some((each) => ours.has(each));
  }
}

function entryOf(each) {
  const [serial, at, ...rest] = least(2, children(each));
  const more = new Map();
  for (const extension of rest.length ? children(rest[0]) : []) {
    const parts = least(2, children(extension));
    must(parts.length === 2 || [REASON, SINCE].includes(arcs(parts[0])), "an entry that is not understood");
    more.set(arcs(parts[0]), inside(parts.at(-1), 0x04));
  }
  const [revoked, invalid] = [moment(at), more.has(SINCE) ? moment(more.get(SINCE)) : moment(at)];
  const onHold = more.has(REASON) && whole(more.get(REASON)) === HOLD;
  return [hex(serial), [invalid < revoked ? invalid : revoked, onHold]];
}

const full = (point) => children(point, 0xa0).filter((part) => part[0] === 0xa0).flatMap((part) => children(part, 0xa0));

/** The certificates of a PEM file. */
export function rootsOf(text) {
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([^]+?)-----END CERTIFICATE-----/g)];
  let found;
  try {
    found = blocks.map((each) => new Certificate(octetsOf(each[1].replace(/\s/g, ""))));
  } catch {
    found = [];
  }
  if (!found.length) throw new Broken("根证书文件无法使用", "the file of root certificates cannot be used");
  return found;
}

/** What a certificate is judged with: trusted roots, certificates between, and lists. */
export class Beside {
  #every;
  #roots;

  constructor(roots, between, lists) {
    this.lists = lists;
    this.#roots = new Set(roots.map((each) => each.id));
    // the first of equals, in the order in which they are given
    const order = new Map();
    [...roots, ...between].forEach((each) => order.has(each.id) || order.set(each.id, each));
    this.#every = [...order.values()];
  }

  /** The way of a timestamp authority to a root, good at that instant; with `heard` each must be known not to be revoked. */
  path(leaf, at, heard) {
    let failure = null;
    for (const path of this.#paths([leaf], { steps: 0 })) {
      try {
        this.#judge(path, at, heard);
        return path;
      } catch (error) {
        if (!(error instanceof Broken)) throw error;
        failure ??= error;
      }
    }
    throw failure ?? new Broken(`${leaf.name} 不能追溯到您信任的根证书`, `${leaf.name} leads to no root that you trust`);
  }

  *#paths(path, tried) {
    const last = path.at(-1);
    if (this.#roots.has(last.id)) yield path;
    else if (path.length < MOST) {
      for (const each of this.#every) {
        if (path.some((one) => one.id === each.id) || !same(last.issuer, each.subject) || !last.by(each)) continue;
        tried.steps += 1;
        if (tried.steps > MOST_STEPS) {
          throw new Broken(
            `${path[0].name} 的证书路径过多，无法判断`,
            `there are too many ways from ${path[0].name} to judge them`,
          );
        }
        yield* this.#paths([...path, each], tried);
      }
    }
  }

  #judge(path, at, heard) {
    const [leaf] = path;
    const purposes = leaf.extensions.get(PURPOSES);
    const only = purposes?.critical && children(purposes.value).map(arcs);
    if (!only || only.length !== 1 || only[0] !== STAMPING) {
      throw new Broken(`${leaf.name} 不是时间戳证书`, `${leaf.name} is no certificate for timestamps`);
    }
    path.forEach((each, place) => {
      if ([...each.extensions].some(([name, { critical }]) => critical && !READ.has(name))) {
        throw new Broken(
          `${each.name} 的证书带有本程序不判断的限制，请用 yinxin verify 核验`,
          `the certificate of ${each.name} has restrictions that this file does not judge: use yinxin verify`,
        );
      }
      const [first, last] = each.span;
      if (at < first) throw new Broken(`${each.name} 当时尚未生效`, `${each.name} was not valid yet then`);
      if (floor(at) > last) throw new Ended(`${each.name} 当时已过期`, `${each.name} had expired then`);
      const [marked, most] = each.authority;
      if (place && (!marked || !each.may(5) || (most !== null && BigInt(place - 1) > most))) {
        throw new Broken(`${each.name} 无权签发`, `${each.name} may not issue certificates`);
      }
    });
    const unheard = path.slice(0, -1).filter((each, place) => !this.#heard(each, path[place + 1], at));
    if (heard && unheard.length) {
      const { name } = unheard[0];
      throw new Unheard(`没有 ${name} 当时的撤销状态`, `nothing tells whether ${name} was revoked then`);
    }
  }

  /** Whether lists tell of it at that instant; raises Broken when one says that it was revoked. */
  #heard(certificate, issuer, at) {
    const said = [];
    for (const each of this.lists) {
      try {
        if (same(each.issuer, issuer.subject) && each.covers(certificate) && each.by(issuer)) {
          said.push([each.times, each.listed.get(hex(certificate.fields[0]))]);
        }
      } catch (error) {
        if (!(error instanceof Malformed)) throw error; // it says nothing; that something is missing is told
      }
    }
    for (const [[made], found] of said) {
      if (!found || found[0] > at) continue;
      const ended = found[1] && said.some(([time, other]) => !other && made < time[0] && time[0] <= at);
      if (!ended) throw new Broken(`${certificate.name} 当时已被撤销`, `${certificate.name} was revoked then`);
    }
    return said.some(([[made, following]]) => (made > at ? made <= certificate.span[1] : at <= following));
  }
}

/** What the certificates of a path rest on: every key, and the hash of every signature below the root. */
export const algorithms = (path) => [
  ...path.map((each) => kindOf(each.key)),
  ...path.slice(0, -1).map((each) => each.algorithm[1]),
];
