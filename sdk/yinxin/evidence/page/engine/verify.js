// What can be verified, and what is said of it: the same sentences and refusals as the verifier that is one Python file.

import { sha256 } from "@noble/hashes/sha2.js";
import { Ages } from "./ages.js";
import { utc } from "./clock.js";
import { canonical, field, keyed, ordered, parsed, spelling } from "./json.js";
import { Key, Policy, decimal, head } from "./notes.js";
import { begins, hex, octetsOf, parted, same, text as textOf, utf8 } from "./octets.js";
import { unpacked } from "./packed.js";
import { rootsOf } from "./paper.js";
import { opened, titled } from "./personal.js";
import { clear, matches } from "./question.js";
import { followed, recordOf } from "./renewed.js";
import { Broken, Malformed, Unknown, held, must, notJudged, orBroken } from "./saying.js";
import { digest } from "./signature.js";
import { sm3 } from "./sm3.js";
import { grown, hashed, included } from "./trees.js";

const SECOND = 1_000_000n;
const MOST_ENTRIES = 10_000;

/**
 * Check a file and say in Chinese and English what holds, its renewals first; raises Broken.
 *
 * `trust`: the reader's `logs` (Key), `policy` or null, `roots` (Certificate), `ages`; and `record` (octets) or null, judged for the
 * instant `at` in microseconds since 1970.
 */
export function verify(data, trust) {
  if (!trust.record) return byKind(data, trust);
  const [since, said] = followed(trust.record, data, trust.roots, trust.ages, trust.at);
  try {
    return [...said, ...byKind(data, trust)];
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
    const when = utc(since);
    return [
      ...said,
      notJudged(
        `证据记录证明文件自 ${when} 起已存在；文件内容本身未作判断`,
        `the evidence record proves that the file has been there since ${when}; what it says was not judged`,
      ),
    ];
  }
}

function byKind(data, trust) {
  const found = orBroken("文件格式不对", "the file is malformed", () => {
    if (begins(data, "c2sp.org/tlog-proof@v1\n")) return proof(textOf(data), trust);
    if (begins(data, '{"begin":')) return stretch(data, trust);
    if (begins(data, '{"checkpoint":')) return extract(data, trust);
    if (begins(data, "PK")) return bundle(data, trust);
    return null;
  });
  if (!found) throw new Unknown("不认识这个文件", "this file cannot be checked");
  return found;
}

/** What is told of an entry, in one line. */
function lineOf(event) {
  const parts = ["time", "verb", "subject", "outcome"].map((name) => field(event, name, "string"));
  return [...parts, field(field(event, "actor", "map"), "id", "string")].join(" ");
}

/** An entry of a log, which has its identifier and what is told of it. */
function entryOf(octets) {
  const event = parsed(octets);
  field(event, "id", "string");
  lineOf(event); // read for what they raise
  return event;
}

function inLog(entry, index, path, found) {
  const root = included(hashed(entry), index, found.size, path);
  if (!root || !same(root, found.root)) {
    throw new Broken(`该记录不在日志第 ${index} 位`, `the entry is not at index ${index} of the log`);
  }
}

/** The parts of a proof's text: the entry, its index, its way to the root, and the checkpoint. */
function partsOf(whole) {
  const [top, note] = parted(whole, "\n\n");
  const [, extra = "", index = "", ...path] = top.split("\n");
  must(extra.startsWith("extra ") && index.startsWith("index "), "another form");
  return [octetsOf(extra.slice(6)), decimal(index.slice(6)), path, note ?? ""];
}

function proof(whole, { logs, policy }) {
  const [entry, index, path, note] = partsOf(whole);
  const found = head(note, logs, policy);
  inLog(entry, index, path.map(octetsOf), found);
  const what = lineOf(entryOf(entry));
  return [
    held(
      `记录在日志 ${found.origin} 第 ${index} 条（共 ${found.size} 条）：${what}`,
      `the entry is number ${index} of ${found.size} in the log ${found.origin}: ${what}`,
    ),
    ...witnesses([found], policy),
  ];
}

function witnesses(heads, policy) {
  if (!policy) {
    return [
      notJudged(
        "没有给出见证规则，联署与时间未作判断",
        "no policy was given: cosignatures and times were not judged",
      ),
    ];
  }
  return heads.map(({ size, cosigned }) => {
    const times = [...cosigned].map(([name, at]) => `${name} ${utc(at * SECOND)}`).join("; ") || "-";
    return held(
      `规模 ${size} 的检查点达到见证规则：${times}`,
      `the checkpoint of size ${size} meets the policy: ${times}`,
    );
  });
}

/** The keys that a file lists, each of a signature on its checkpoints; refuses another spelling or kind of file. */
function listed(data, body, kind, notes) {
  must(same(canonical(body), data) && body.get("v") === 1n && body.get("type") === kind, "another form");
  const found = field(body, "witnesses", "array").map((each) => new Key(each));
  if (!found.every((each) => notes.includes(`\n\u2014 ${each.name} `))) {
    throw new Broken("列出了没有联署的见证方", "a witness is listed that did not cosign");
  }
  return found;
}

function stretch(data, { logs, policy }) {
  const body = parsed(data);
  must(keyed(body, "begin", "edge", "end", "entries", "question", "type", "v", "witnesses"), "another form");
  const notes = ["begin", "end"].map((name) => field(body, name, "string"));
  const keys = listed(data, body, "log-stretch", notes.join(""));
  const [begin, end] = notes.map((note) => head(note, logs, policy, keys));
  const [edge, entries] = ["edge", "entries"].map((name) => field(body, name, "array").map(octetsOf));
  const whole =
    begin.origin === end.origin &&
    BigInt(edge.length) === ones(begin.size) &&
    begin.size + BigInt(entries.length) === end.size &&
    same(grown(edge, begin.size, []), begin.root) &&
    same(grown(edge, begin.size, entries.map(hashed)), end.root);
  if (!whole) throw new Broken("区间内的记录不全或被改动", "entries of the stretch are missing or were changed");
  const said = [
    held(
      `日志 ${end.origin} 第 ${begin.size} 条至第 ${end.size} 条之间的 ${entries.length} 条记录齐全`,
      `the ${entries.length} entries of the log ${end.origin} between its first ${begin.size} and ${end.size} are all here`,
    ),
    ...witnesses([begin, end], policy),
  ];
  const asked = field(body, "question", "map");
  enclosed(asked, begin, end);
  const events = entries.map(entryOf);
  counted(events, begin.size);
  const found = events.filter((event) => matches(asked, event));
  if (asked.get("none") && found.length) {
    const id = field(found[0], "id", "string");
    throw new Broken(`有符合条件的记录：${id}`, `there is an entry that matches: ${id}`);
  }
  const spaced = { between: ", ", after: ": " };
  const [words, spelt] = [spelling(asked, spaced), spelling(asked, { ...spaced, ascii: true })];
  const question = words === spelt ? words : `${words} (${spelt})`;
  return [...said, held(`其中 ${found.length} 条符合：${question}`, `${found.length} of them match: ${question}`)];
}

const ones = (value) => BigInt(value.toString(2).replaceAll("0", "").length);

/** The witnesses' times enclose what is asked about, and something could match it. */
function enclosed(asked, begin, end) {
  const span = clear(asked);
  if (!span) {
    throw new Broken(
      "所问的内容不成立：没有记录能与之相符",
      "the question cannot be: no entry could match what it asks",
    );
  }
  if (!begin.cosigned.size || !end.cosigned.size) return;
  const seen = [...begin.cosigned.values()].reduce((one, other) => (one > other ? one : other));
  const until = [...end.cosigned.values()].reduce((one, other) => (one < other ? one : other));
  if ((seen + 1n) * SECOND > span[0] || until * SECOND < span[1]) {
    throw new Broken("见证时间没有覆盖所问的时间", "the witnesses' times do not enclose the time asked about");
  }
}

/** Each source's numbers follow each other; where they do not, something was done and never reached the log. */
function counted(events, begin) {
  const last = new Map();
  for (const event of events) {
    const [source, number, name] = [event.get("source"), event.get("number"), field(event, "id", "string")];
    if (typeof source !== "string" || typeof number !== "bigint") {
      if (last.size) throw new Broken(`记录 ${name} 没有编号`, `the record ${name} has no number`);
      continue;
    }
    const [before, other] = last.get(source) ?? [begin ? number - 1n : 0n, "-"];
    if (number !== before + 1n) {
      throw new Broken(
        `来源 ${source} 的编号不连续：${other} 为 ${before}，${name} 为 ${number}`,
        `the numbers of ${source} do not follow each other: ${other} has ${before}, ${name} has ${number}`,
      );
    }
    last.set(source, [number, name]);
  }
}

function extract(data, { logs, policy }) {
  const body = parsed(data);
  must(keyed(body, "checkpoint", "entries", "type", "v", "witnesses"), "another form");
  const [entries, note] = [field(body, "entries", "array"), field(body, "checkpoint", "string")];
  must(entries.length > 0 && entries.length <= MOST_ENTRIES, "another form");
  const found = head(note, logs, policy, listed(data, body, "log-extract", note));
  const [told, withheld] = [[], new Map()];
  let last = -1n;
  for (const each of entries) {
    must(keyed(each, "entry", "hashes", "index", "opened"), "another form");
    const [index, entry] = [field(each, "index", "bigint"), octetsOf(each.get("entry"))];
    inLog(entry, index, field(each, "hashes", "array").map(octetsOf), found);
    if (index <= last) throw new Broken("记录的先后不对或重复", "entries are out of order, or one is there twice");
    last = index;
    const event = entryOf(entry);
    told.push(held(lineOf(event), lineOf(event)), ...opened(event, field(each, "opened", "map"), withheld));
  }
  const kept = ordered(withheld.keys()).map((name) => {
    const [zh, en] = titled(name);
    return notJudged(
      `未开示的个人信息：${zh}（${withheld.get(name)} 条）`,
      `not opened: ${en} (of ${withheld.get(name)} entries)`,
    );
  });
  const whole = held(
    `${entries.length} 条记录都在日志 ${found.origin} 中（共 ${found.size} 条）`,
    `the ${entries.length} entries are in the log ${found.origin} (of ${found.size} entries)`,
  );
  return [whole, ...witnesses([found], policy), ...told, ...kept];
}

function part(files, name) {
  const found = files.get(name);
  if (!found) throw new Malformed(`no ${name}`);
  return found;
}

const numbered = (number) => String(number).padStart(2, "0");

/** What the log says of the object of a bundle, and the renewals of the log's checkpoints; the rest is said not to be judged. */
function bundle(data, trust) {
  const files = unpacked(data);
  if (!files.has("evidence.json")) { // of a message between sites, of a signed file: no log says anything in it
    throw new Unknown(
      "这种证据包不由本程序判断，请用 yinxin verify 核验",
      "evidence of this kind is not judged by this file: use yinxin verify",
    );
  }
  const body = parsed(part(files, "evidence.json"));
  const [counts, subject] = [field(body, "counts", "map"), field(body, "subject", "string")];
  const said = [
    held(`证据包内 ${files.size} 个文件与清单一致`, `the ${files.size} files of the bundle are as its manifest lists them`),
  ];
  const known = new Set(trust.logs.filter((each) => each.kind === 0x01).map((each) => each.name));
  const texts = [];
  let [others, judged] = [0, 0];
  for (let number = 1n; number <= field(counts, "log", "bigint"); number += 1n) {
    const whole = textOf(part(files, `log/${numbered(number)}.tlog-proof`));
    const note = parted(whole, "\n\n")[1] ?? "";
    texts.push(`${note.slice(0, Math.max(note.lastIndexOf("\n\n"), 0))}\n`);
    if (!known.has(parted(note, "\n")[0])) {
      others += 1;
      continue;
    }
    const told = proof(whole, trust);
    const event = entryOf(partsOf(whole)[0]);
    if (event.get("subject") !== subject || event.get("outcome") !== "done") {
      throw new Broken("日志记录与证据包的对象不符", "a log entry is about another object than the bundle");
    }
    said.push(...told);
    judged += 1;
  }
  if (!judged) {
    throw new Broken(
      "证据包中没有您给出的日志公钥能证明的记录",
      "no entry of the bundle is in a log whose key you gave",
    );
  }
  const records = counts.has("records") ? field(counts, "records", "bigint") : 0n;
  const kept = [];
  for (let number = 1n; number <= records; number += 1n) kept.push(part(files, `log/${numbered(number)}.ers`));
  said.push(...kept.flatMap((each) => renewals(each, texts, trust)));
  if (others) {
    said.push(
      notJudged(
        `另有 ${others} 条记录的日志公钥未给出，未作判断`,
        `${others} entries are in logs whose keys were not given, and were not judged`,
      ),
    );
  }
  said.push(
    notJudged(
      "公文、印章、各人签名及其证书和撤销状态不由本程序判断，请用 yinxin verify 核验",
      "document, seals, people's signatures, their certificates and revocation are not judged by this file: use yinxin verify",
    ),
  );
  return said;
}

/** An evidence record is of a checkpoint of the proofs, and its links held as of the last of them. */
function renewals(record, texts, { roots, ages }) {
  const links = recordOf(record)[0].flat();
  const [first, last] = [links[0].token, links.at(-1).token];
  const over = [...new Set(texts)].filter((text) => same(digest(first.hash, utf8(text)), first.imprint));
  if (over.length !== 1) throw new Broken("证据记录不属于任何检查点", "an evidence record is of no checkpoint of the bundle");
  const [size, times] = [over[0].split("\n")[1], links.length - 1];
  if (!roots.length) {
    return [
      notJudged(
        `日志规模 ${size} 的检查点附有证据记录（续期 ${times} 次）；没有给出时间戳服务的根证书，未作判断`,
        `the log's checkpoint of size ${size} comes with an evidence record (renewed ${times} times); no roots of timestamp authorities were given, so it was not judged`,
      ),
    ];
  }
  const [since, told] = followed(record, utf8(over[0]), roots, ages, last.at);
  return [
    ...told.filter((each) => !each.judged),
    held(
      `日志规模 ${size} 的检查点在 ${utc(since)} 已存在，有时间戳为证，续期 ${times} 次`,
      `the log's checkpoint of size ${size} existed at ${utc(since)}, as a timestamp proves that was renewed ${times} times`,
    ),
  ];
}

const plain = (octets) => textOf(octets).replace(/\r\n?/g, "\n");

/** What the reader trusts, from the files that say so; raises Broken. */
function trusted(given) {
  return orBroken("读不到信任文件", "a file of what you trust cannot be read", () => ({
    logs: plain(given.log).split("\n").filter(Boolean).map((line) => new Key(line)),
    policy: given.policy ? new Policy(plain(given.policy)) : null,
    roots: given.roots ? rootsOf(plain(given.roots)) : [],
    ages: given.algorithms ? new Ages(plain(given.algorithms)) : new Ages(),
    record: given.record ?? null,
    at: given.at,
  }));
}

/**
 * The verdict on a file: what was said, and the refusal or null; with the file's digests. A refusal is `unable` when nothing was found
 * wrong with the file: a file of what is trusted cannot be used, or this one is of no kind that is judged here.
 *
 * `given`: octets of the files by their parts: `file`, `log`, and, where they are there, `policy`, `roots`, `algorithms`, `record`; `at`,
 * an instant in microseconds since 1970.
 */
export function judged(given) {
  const digests = { sha256: hex(sha256(given.file)), sm3: hex(sm3(given.file)) };
  let trust = null;
  try {
    trust = trusted(given);
    return { said: verify(given.file, trust), refusal: null, ...digests };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const unable = !trust || error instanceof Unknown;
    return { said: [], refusal: { zh: error.zh, en: error.en }, unable, ...digests };
  }
}
