// Hashes, and signatures by Ed25519, ECDSA, SM2 and RSA verified, on the curves and hashes of noble.

import { edwards } from "@noble/curves/abstract/edwards.js";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { invert } from "@noble/curves/abstract/modular.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { joined, number, same, spelt } from "./octets.js";
import { Broken } from "./saying.js";
import { sm3 } from "./sm3.js";
import { arcs, children, inside, just, least, whole } from "./tlv.js";

const DIGESTS = { sha256, sha384, sha512, sm3 };
// object identifier: name
const HASHES = new Map([
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
  ["1.2.156.10197.1.401", "sm3"],
]);
// signature algorithm: family and hash; of one the hash stands elsewhere
const SIGNATURES = new Map([
  ["1.2.840.10045.4.3.2", ["ec", "sha256"]],
  ["1.2.840.10045.4.3.3", ["ec", "sha384"]],
  ["1.2.840.10045.4.3.4", ["ec", "sha512"]],
  ["1.2.840.113549.1.1.11", ["rsa", "sha256"]],
  ["1.2.840.113549.1.1.12", ["rsa", "sha384"]],
  ["1.2.840.113549.1.1.13", ["rsa", "sha512"]],
  ["1.2.840.113549.1.1.1", ["rsa", ""]],
  ["1.2.156.10197.1.501", ["sm2", "sm3"]],
  ["1.2.156.10197.1.301.1", ["sm2", "sm3"]],
]);
// FIPS 186-5, GM/T 0003.5; a is -3 in all of them
const curve = (name, p, b, n, Gx, Gy) => ({ name, p, b, n, Gx, Gy, Point: weierstrass({ p, n, h: 1n, a: p - 3n, b, Gx, Gy }) });
const CURVES = new Map([
  ["1.2.840.10045.3.1.7", curve(
    "ecdsa-p256",
    2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  )],
  ["1.3.132.0.34", curve(
    "ecdsa-p384",
    2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  )],
  ["1.2.156.10197.1.301", curve(
    "sm2",
    2n ** 256n - 2n ** 224n - 2n ** 96n + 2n ** 64n - 1n,
    0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
    0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
    0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
    0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
  )],
]);
// RFC 8032 section 5.1
const P25519 = 2n ** 255n - 19n;
const Edwards = edwards({
  p: P25519,
  n: 2n ** 252n + 27742317777372353535851937790883648493n,
  h: 8n,
  a: P25519 - 1n,
  d: 37095705934669439343138083508754565189542113879843219016388785533085940283555n,
  Gx: 15112221349535400772501151409588531511454012693041857206046113283949847762202n,
  Gy: 46316835694926478169428394003475163141307993866256225615783033603165251855960n,
});
const [EC, RSA] = ["1.2.840.10045.2.1", "1.2.840.113549.1.1.1"];
const SM2_ID = new TextEncoder().encode("1234567812345678");
// bits: beyond these, a key is there to keep its reader busy
const [LARGEST_MODULUS, LARGEST_EXPONENT] = [16384, 256];
const INFO = { sha256: [1, 32], sha384: [2, 48], sha512: [3, 64] };

/** The hash of that name. */
export const digest = (name, data) => DIGESTS[name](data);

const bits = (value) => value.toString(2).replace("-", "").length - Number(value === 0n);

function unknown(what) {
  return new Broken(
    `本程序不认识算法 ${what}，请用 yinxin verify 核验`,
    `this file does not know the algorithm ${what}: use yinxin verify`,
  );
}

/** The name of a hash, by its AlgorithmIdentifier. */
export function hashOf(identifier) {
  const [name, ...parameters] = least(1, children(identifier));
  const plain = !parameters.length || (parameters.length === 1 && same(parameters[0], [5, 0]));
  if (!HASHES.has(arcs(name)) || !plain) throw unknown(arcs(name));
  return HASHES.get(arcs(name));
}

/** Family and hash of a signature, by its AlgorithmIdentifier; `fallback` where it names no hash. */
export function used(identifier, fallback = "") {
  const name = arcs(least(1, children(identifier))[0]);
  if (!SIGNATURES.has(name)) throw unknown(name);
  const [family, hash] = SIGNATURES.get(name);
  return [family, hash || fallback];
}

/** Algorithm, curve (or nothing) and key of a SubjectPublicKeyInfo. */
function key(spki) {
  const [algorithm, bitString] = just(2, children(spki));
  const [name, ...parameters] = least(1, children(algorithm));
  const octets = inside(bitString).subarray(1);
  if (arcs(name) === RSA) return { octets };
  const found = arcs(name) === EC && parameters.length ? CURVES.get(arcs(parameters[0])) : undefined;
  if (!found) throw unknown(arcs(name));
  return { octets, curve: found };
}

/** What kind of key it is, as tables of algorithms name it. */
export function kindOf(spki) {
  const { octets, curve: on } = key(spki);
  return on ? on.name : `rsa-${bits(whole(least(1, children(octets))[0]))}`;
}

/** Whether a signature is that of the key over the message; raises Broken for an algorithm that is not known here. */
export function holds(spki, [family, hash], signature, message) {
  const { octets, curve: on } = key(spki);
  if (!on) return family === "rsa" && byRsa(octets, hash, signature, message);
  return family === (on.name === "sm2" ? "sm2" : "ec") && byCurve(on, octets, hash, signature, message);
}

/** FIPS 186-5 section 6.4.2; GM/T 0003.2 section 7.1 with the usual identifier. */
function byCurve({ name, p, b, n, Gx, Gy, Point }, octets, hash, signature, message) {
  const size = name === "ecdsa-p384" ? 48 : 32;
  const [x, y] = [octets.subarray(1, 1 + size), octets.subarray(1 + size)].map(number);
  if (octets[0] !== 4 || octets.length !== 1 + 2 * size || x >= p || y >= p) return false;
  if ((y * y - x * x * x + 3n * x - b) % p) return false;
  const [r, s] = just(2, children(signature)).map(whole);
  if (!(r > 0n && r < n && s > 0n && s < n)) return false;
  const sum = (one, other) => {
    const found = Point.BASE.multiplyUnsafe(one).add(Point.fromAffine({ x, y }).multiplyUnsafe(other));
    return found.is0() ? null : found.toAffine().x;
  };
  if (name === "sm2") {
    const own = joined([0, 128], SM2_ID, ...[p - 3n, b, Gx, Gy, x, y].map((each) => spelt(each, 32)));
    const t = (r + s) % n;
    const found = t ? sum(s, t) : null;
    return found !== null && (number(sm3(joined(sm3(own), message))) + found) % n === r;
  }
  const data = digest(hash, message);
  const e = number(data) >> BigInt(Math.max(0, 8 * data.length - 8 * size));
  const w = invert(s, n);
  const found = sum((e * w) % n, (r * w) % n);
  return found !== null && found % n === r;
}

/** RFC 8017 8.2.2: the padded digest is made anew and compared. */
function byRsa(octets, hash, signature, message) {
  const [modulus, exponent] = just(2, children(octets)).map(whole);
  const width = bits(modulus);
  const size = Math.ceil(width / 8);
  const value = number(signature);
  if (!INFO[hash] || signature.length !== size || value >= modulus) return false;
  if (width > LARGEST_MODULUS || bits(exponent) > LARGEST_EXPONENT || exponent <= 0n) return false;
  const [last, length] = INFO[hash];
  const info = joined(
    [0x30, length + 17, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last, 5, 0, 4, length],
    digest(hash, message),
  );
  if (size < info.length + 3) return false;
  const padded = joined([0, 1], new Uint8Array(size - info.length - 3).fill(0xff), [0], info);
  return same(spelt(power(value, exponent, modulus), size), padded);
}

function power(base, exponent, modulus) {
  let [found, square] = [1n, base];
  for (let rest = exponent; rest; rest >>= 1n) {
    if (rest & 1n) found = (found * square) % modulus;
    square = (square * square) % modulus;
  }
  return found;
}

/** Whether `signature` (64 octets) is that of `octets` (32) over `message` (5.1.7, without the cofactor). */
export function ed25519(octets, message, signature) {
  if (octets.length !== 32 || signature.length !== 64) return false;
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  const little = (data) => number(Uint8Array.from(data).reverse());
  const order = Edwards.CURVE().n;
  if (little(s) >= order) return false;
  let point;
  try {
    point = Edwards.fromBytes(octets);
  } catch {
    return false; // no point, or not in its one spelling
  }
  const k = little(sha512(joined(r, octets, message))) % order;
  const found = Edwards.BASE.multiplyUnsafe(little(s)).subtract(point.multiplyUnsafe(k));
  return same(found.toBytes(), r);
}
