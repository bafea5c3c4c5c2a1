// The files of an evidence bundle (`.asice`): a zip file in its one spelling, byte by byte.

import { sha256 } from "@noble/hashes/sha2.js";
import { base64, compare, joined, same, text, utf8 } from "./octets.js";
import { Broken, must, orBroken } from "./saying.js";

const MIME = "application/vnd.etsi.asic-e+zip";
const [MANIFEST, SIGNATURE] = ["META-INF/ASiCManifest001.xml", "META-INF/signature001.p7s"];
const [LARGEST, MOST_FILES] = [256 * 1024 * 1024, 1000];
// 1980-01-01, 00:00, as zip files say it
const DATE = 0x21;

const CRC = Int32Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(data) {
  let value = -1;
  for (const octet of data) value = CRC[(value ^ octet) & 0xff] ^ (value >>> 8);
  return ~value >>> 0;
}

/** Fields of two ("h") and four ("w") octets, the least first. */
function fields(form, values) {
  const view = new DataView(new ArrayBuffer([...form].reduce((sum, each) => sum + (each === "h" ? 2 : 4), 0)));
  let at = 0;
  [...form].forEach((each, place) => {
    if (each === "h") view.setUint16(at, values[place], true);
    else view.setUint32(at, values[place], true);
    at += each === "h" ? 2 : 4;
  });
  return new Uint8Array(view.buffer);
}

/** Read the files one after the other: each local header is the one that this name and these octets have. */
function entries(data) {
  must(data.length <= LARGEST, "too large");
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const found = [];
  let at = 0;
  while (at + 30 <= data.length && view.getUint32(at, true) === 0x04034b50) {
    must(found.length < MOST_FILES, "too many files");
    const [size, length] = [view.getUint32(at + 18, true), view.getUint16(at + 26, true)];
    const start = at + 30 + length;
    must(start + size <= data.length, "cut off");
    const [name, content] = [data.subarray(at + 30, start), data.subarray(start, start + size)];
    const known = [20, name.every((octet) => octet < 0x80) ? 0 : 0x800, 0, 0, DATE, crc32(content), size, size, length, 0];
    must(same(data.subarray(at, at + 30), fields("whhhhhwwwhh", [0x04034b50, ...known])), "another header");
    found.push({ name, content, at, known });
    at = start + size;
  }
  const directory = found.map((each) =>
    joined(fields("whhhhhhwwwhhhhhww", [0x02014b50, 0x0314, ...each.known, 0, 0, 0, 0o644 << 16, each.at]), each.name),
  );
  const size = directory.reduce((sum, each) => sum + each.length, 0);
  const end = fields("whhhhwwh", [0x06054b50, 0, 0, found.length, found.length, size, at, 0]);
  must(found.length > 0 && same(data.subarray(at), joined(...directory, end)), "another directory");
  return found;
}

/** The files that the manifest lists, by name, each as it lists it. Raises Broken. */
export function unpacked(data) {
  const wrong = ["证据包格式不对或被改动过", "the bundle is malformed or was changed"];
  const [files, manifest] = orBroken(...wrong, () => {
    const [first, ...rest] = entries(data);
    must(text(first.name) === "mimetype" && text(first.content) === MIME, "no ASiC-E");
    must(rest.every((each, place) => !place || compare(rest[place - 1].name, each.name) < 0), "another order");
    const named = new Map(rest.map((each) => [text(each.name), each.content]));
    const listed = named.get(MANIFEST);
    must(listed && named.has(SIGNATURE) && !named.has("mimetype"), "a part is missing");
    named.delete(MANIFEST);
    named.delete(SIGNATURE);
    return [named, listed];
  });
  const references = [...files].map(([name, content]) => [name, reference(name, content)]);
  const letters = (octets) => new TextDecoder("latin1").decode(octets); // one for each octet
  const lines = letters(manifest);
  for (const [name, line] of references) {
    if (!lines.includes(letters(utf8(line)))) throw new Broken(`文件 ${name} 与清单不符`, `the file ${name} is not what the manifest lists`);
  }
  const again = `<?xml version="1.0" encoding="UTF-8"?>
<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\
<asic:SigReference URI="${SIGNATURE}" MimeType="application/x-pkcs7-signature"/>\
${references.map((each) => each[1]).join("")}</asic:ASiCManifest>\n`;
  if (!same(utf8(again), manifest)) throw new Broken(...wrong);
  return files;
}

function reference(name, content) {
  return `<asic:DataObjectReference URI=${quoted(name)}>\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>\
<ds:DigestValue>${base64(sha256(content))}</ds:DigestValue></asic:DataObjectReference>`;
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;" };

/** A value of an attribute, in its quotes. */
function quoted(value) {
  const spelt = value.replace(/[&<>\n\r\t]/g, (letter) => ENTITIES[letter]);
  if (!spelt.includes('"')) return `"${spelt}"`;
  return spelt.includes("'") ? `"${spelt.replaceAll('"', "&quot;")}"` : `'${spelt}'`;
}
