// Timestamp tokens (RFC 3161, RFC 5652, RFC 5035).

import { Certificate } from "./paper.js";
import { joined, same } from "./octets.js";
import { Broken, must } from "./saying.js";
import { digest, hashOf, holds, used } from "./signature.js";
import { arcs, children, inside, just, least, moment, strict } from "./tlv.js";

const SIGNED = ["1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2"];
const INFO = "1.2.840.113549.1.9.16.1.4";
const [TYPE, DIGEST, NAMED] = ["1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.16.2.47"];

/** What a token says; it counts after `signedBy`. */
export class Token {
  constructor(der) {
    const [outer, wrapped] = just(2, children(strict(der)));
    const [, , encapsulated, ...rest] = least(4, children(inside(wrapped, 0xa0)));
    const [signer] = just(1, children(rest.at(-1), 0x31));
    const [kind, content] = just(2, children(encapsulated));
    must(SIGNED.includes(arcs(outer)) && arcs(kind) === INFO, "no timestamp");
    const said = strict(inside(inside(content, 0xa0), 0x04));
    const [version, , imprint, , at, ...more] = least(5, children(said));
    const [algorithm, value] = just(2, children(imprint));
    must(same(version, [2, 1, 1]) && more.every((each) => each[0] !== 0xa1), "a timestamp of another form");
    const listed = rest.slice(0, -1).filter((each) => each[0] === 0xa0).flatMap((each) => children(each, 0xa0));
    this.der = der;
    this.hash = hashOf(algorithm);
    this.imprint = inside(value, 0x04);
    this.at = moment(at);
    this.certificates = listed.filter((each) => each[0] === 0x30).map((each) => new Certificate(each));
    this.info = said;
    this.signer = children(signer);
  }

  /** The hash of its own signature. */
  get signerHash() {
    return hashOf(least(3, this.signer)[2]);
  }

  /** Whose signature it bears, if it holds; of the certificate nothing else is known yet. */
  signedBy(also) {
    const [, named, hashedBy, attributes, algorithm, signature] = least(6, this.signer);
    const values = new Map();
    for (const each of children(attributes, 0xa0)) {
      const [kind, members] = just(2, children(each));
      const [value] = just(1, children(members, 0x31));
      must(!values.has(arcs(kind)), "an attribute twice");
      values.set(arcs(kind), value);
    }
    const name = hashOf(hashedBy);
    const changed = !same(inside(values.get(DIGEST), 0x04), digest(name, this.info));
    if (arcs(values.get(TYPE)) !== INFO || changed) {
      throw new Broken("时间戳内容被改动", "the content of a timestamp was changed");
    }
    const first = children(children(children(values.get(NAMED))[0])[0]);
    const own = first[0][0] === 0x30 ? hashOf(first[0]) : "sha256";
    const byDigest = first[0][0] === 0x30 ? first[1] : first[0];
    const by = [...this.certificates, ...also].find(
      (each) => same(named, each.place) && same(digest(own, each.der), inside(byDigest, 0x04)),
    );
    if (!by) throw new Broken("时间戳没有附带签名证书", "the certificate of a timestamp's signature is not there");
    const [family, hash] = used(algorithm, name);
    const message = joined([0x31], attributes.subarray(1));
    if (hash !== name || !holds(by.key, [family, hash], inside(signature, 0x04), message)) {
      throw new Broken(`${by.name} 的时间戳签名无效`, `the timestamp's signature by ${by.name} does not hold`);
    }
    return by;
  }
}
