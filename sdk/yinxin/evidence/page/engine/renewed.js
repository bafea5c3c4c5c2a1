// Evidence records (RFC 4998) followed link by link: every link over what it must be over, in its order, by an authority
// and with algorithms that were good until the next one was made.

import { earliest } from "./ages.js";
import { local } from "./clock.js";
import { compare, joined, same } from "./octets.js";
import { Beside, Certificate, Revocations, algorithms } from "./paper.js";
import { Broken, Ended, Unheard, held, must, notJudged, orBroken } from "./saying.js";
import { digest, hashOf, kindOf } from "./signature.js";
import { Token } from "./stamp.js";
import { arcs, children, inside, just, least, strict, written } from "./tlv.js";

const [CERTIFICATES, LISTS] = ["1.2.840.113549.1.9.16.2.23", "1.2.840.113549.1.9.16.2.24"];
const [MOST_LINKS, LARGEST_RECORD] = [500, 64 * 1024 * 1024];
const SECOND = 1_000_000n;
const MALFORMED = ["证据记录格式不对或被改动过", "the evidence record is malformed or was changed"];

/** One archive timestamp, and the leaf's way to what it is over. */
class Link {
  constructor(data) {
    const every = least(1, children(data));
    const fields = new Map(every.slice(0, -1).map((each) => [each[0], each]));
    const tags = every.slice(0, -1).map((each) => each[0]);
    must(["", "161", "162", "161,162"].includes(tags.join()), "a field that is not read here");
    const values = new Map();
    for (const each of fields.has(0xa1) ? children(fields.get(0xa1), 0xa1) : []) {
      const [kind, members] = just(2, children(each));
      values.set(arcs(kind), just(1, children(members, 0x31))[0]);
    }
    must([...values.keys()].every((kind) => kind === CERTIFICATES || kind === LISTS), "an attribute that is not read here");
    const groups = fields.has(0xa2) ? children(fields.get(0xa2), 0xa2) : [];
    this.token = new Token(every.at(-1));
    this.way = groups.map((group) => children(group).map((each) => inside(each, 0x04)));
    this.certificates = values.has(CERTIFICATES) ? children(values.get(CERTIFICATES)) : [];
    this.lists = values.has(LISTS) ? children(inside(least(1, children(values.get(LISTS)))[0], 0xa0)) : [];
  }
}

/** The chains of a record, and each as it is written. */
export function recordOf(data) {
  return orBroken(...MALFORMED, () => {
    must(data.length <= LARGEST_RECORD, "too large");
    const [version, announced, body] = just(3, children(strict(data)));
    const spelling = children(body);
    const chains = spelling.map((chain) => children(chain).map((each) => new Link(each)));
    const links = chains.flat();
    const hashes = [...new Set(links.map((link) => link.token.hash))];
    const told = children(announced).map(hashOf);
    must(same(version, [2, 1, 1]) && chains.every((chain) => chain.length), "another form");
    must(links.length > 0 && links.length <= MOST_LINKS && told.join() === hashes.join(), "another form");
    return [chains, spelling];
  });
}

/** Where a leaf's way leads (4.3); null when it is no way of this leaf. */
function led(name, leaf, way) {
  const ordered = (group) => group.every((each, place) => !place || compare(group[place - 1], each) <= 0);
  const sound = (group) => group.length && ordered(group) && group.every((each) => each.length === leaf.length);
  if (!way.every(sound)) return null;
  if (!way.length) return leaf;
  if (way[0].length === 1 || !way[0].some((each) => same(each, leaf))) return null;
  return way.slice(1).reduce(
    (found, group) => digest(name, joined(...[...group, found].sort(compare))),
    digest(name, joined(...way[0])),
  );
}

const cut = (link, zh, en) =>
  new Broken(
    `续期链在第 ${link} 环断开：${zh}；此件不可采信`,
    `the chain of renewals is broken at link ${link}: ${en}; do not rely on it`,
  );

/**
 * Follow the record of `data` to the instant `at`: since when it is proved to be there, and what holds of each link.
 *
 * Raises Broken with the first thing that does not hold.
 */
export function followed(record, data, roots, ages, at) {
  const [chains, spelling] = recordOf(record);
  const links = chains.flatMap((chain, order) => chain.map((link, place) => ({ link, order, place })));
  const tokens = links.map(({ link }) => link.token);
  bound(links, chains, spelling, data);
  for (let place = 1; place < tokens.length; place += 1) {
    if (tokens[place].at < tokens[place - 1].at) throw cut(place + 1, "它早于前一环", "it is earlier than the one before it");
  }
  if (at < tokens.at(-1).at) {
    throw cut(links.length, "它晚于核验所依的时刻", "it is later than the instant it is judged for");
  }
  return orBroken(...MALFORMED, () => {
    const between = links.flatMap(({ link }) => link.certificates.map((each) => new Certificate(each)));
    const lists = links.flatMap(({ link }) => link.lists.map((each) => new Revocations(each)));
    const moments = [...tokens.map((token) => token.at), at];
    const said = [];
    links.forEach(({ link, order, place }, before) => {
      const number = before + 1;
      const beside = new Beside(roots, [...link.token.certificates, ...between], lists);
      const last = number === links.length;
      const path = believed(number, link.token, [beside, between], { until: moments[number], last, said });
      const after = chains.slice(0, order + 1).reduce((sum, chain) => sum + chain.length, 0);
      inTime([number, after], link, path, ages, moments);
      said.push(told(number, link, path, place === 0));
    });
    return [tokens[0].at, said];
  });
}

/** Every link is over what it must be over (5.2): the data, the timestamp before it, or the data and all chains before. */
function bound(links, chains, spelling, data) {
  links.forEach(({ link, order, place }, before) => {
    const name = link.token.hash;
    if (name !== chains[order][0].token.hash) {
      throw cut(before + 1, "同一条链内换了摘要算法", "it has another hash than its chain");
    }
    let over = data;
    if (place) over = chains[order][place - 1].token.der;
    else if (order) {
      over = joined(digest(name, data), digest(name, written(0x30, joined(...spelling.slice(0, order)))));
    }
    const found = led(name, digest(name, over), link.way);
    if (found && same(found, link.token.imprint)) return;
    if (!before) throw cut(1, "时间戳盖的不是这份数据", "its timestamp is over other data");
    throw cut(
      before + 1,
      "它没有盖住前一环（有环被调换、抽走或改动）",
      "it is not over the one before it (a link was moved, left out or changed)",
    );
  });
}

/** The way of the authority to a root: good when it stamped, and when the next link was made. */
function believed(number, token, [beside, between], { until, last, said }) {
  const leaf = token.signedBy(between);
  const path = beside.path(leaf, token.at, false);
  try {
    beside.path(leaf, token.at, true);
    return beside.path(leaf, until, !last);
  } catch (error) {
    if (error instanceof Ended) return path; // whether it had ended by then, and which, `inTime` says
    if (!(error instanceof Unheard)) throw error;
  }
  said.push(
    notJudged(
      `第 ${number} 环没有附带其时间戳服务的撤销状态，未作判断`,
      `link ${number} brings no statement about the revocation of its timestamp authority, which was not judged`,
    ),
  );
  try {
    beside.path(leaf, until, false);
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
  }
  return path;
}

/**
 * Everything a link rests on lasted until it was renewed: its signature until the next link, its hash until the next chain.
 *
 * `until` says which of the moments those are.
 */
function inTime(until, link, path, ages, moments) {
  const ends = path.map((each) => [each.span[1] + SECOND, each.name]);
  const signature = earliest([...ends, ...ages.first([...algorithms(path), link.token.signerHash])]);
  [[signature], ages.first([link.token.hash])].forEach(([end], place) => {
    const by = until[place];
    if (!end || moments[by] < end[0]) return;
    const [when, what] = [local(end[0]), end[1]];
    if (by === moments.length - 1) {
      throw new Broken(
        `续期链的最后一环在 ${when} 已失效（${what}），此后没有续期`,
        `the last link of the chain of renewals ended at ${when} (${what}) and was not renewed`,
      );
    }
    throw new Broken(
      `续期链第 ${by + 1} 环续得太晚：它盖于 ${local(moments[by])}，而前一环在 ${when} 已失效（${what}）；此件不可采信`,
      `link ${by + 1} of the chain of renewals came too late: it was made at ${local(moments[by])}, and the one before it had ended at ${when} (${what}); do not rely on it`,
    );
  });
}

function told(number, link, path, opens) {
  const [who, at, by] = [path[0].name, local(link.token.at), `${link.token.hash}, ${kindOf(path[0].key)}`];
  if (number === 1) {
    return held(
      `续期链第 1 环：${who} 于 ${at} 为数据盖时间戳（${by}）`,
      `link 1 of the chain of renewals: ${who} timestamped the data at ${at} (${by})`,
    );
  }
  const [zh, en] = opens
    ? ["新摘要重新覆盖数据和全部旧链", "a new hash of data and old chains"]
    : ["覆盖前一环的时间戳", "over the timestamp before"];
  return held(
    `第 ${number} 环：${who} 于 ${at} 续期，${zh}（${by}）；前一环当时仍然有效`,
    `link ${number}: ${who} renewed it at ${at}, ${en} (${by}); the link before it was still good then`,
  );
}
