// What is asked of the entries of a stretch.

import { field } from "./json.js";
import { must } from "./saying.js";
import { printable } from "./personal.js";
import { instant } from "./tlv.js";

const KNOWN = new Set(["since", "until", "subject", "verbs", "actor", "outcome", "none"]);
const OUTCOMES = new Set(["intent", "done", "refused", "failed"]);
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{6})Z$/;
const VERB = /^[a-z][a-z0-9-]*\.(?:[a-z][a-z0-9.-]*)?$/;

function read(asked, name) {
  const found = INSTANT.exec(field(asked, name, "string"));
  must(found, "no instant");
  return instant(...found.slice(1).map(Number));
}

const clean = (text) =>
  typeof text === "string" && text && text === text.trim() && printable(text) && text === text.normalize("NFC");

/** The time asked about, in microseconds; null for what no entry could match, or what reads like something else than it is. */
export function clear(asked) {
  const [since, until] = [read(asked, "since"), read(asked, "until")];
  const texts = ["subject", "actor"].filter((name) => asked.has(name)).map((name) => asked.get(name));
  const verbs = asked.has("verbs") ? asked.get("verbs") : [];
  const so =
    [...asked.keys()].every((name) => KNOWN.has(name)) &&
    texts.every(clean) &&
    Array.isArray(verbs) &&
    verbs.every((each) => {
      must(typeof each === "string", "no verb");
      return VERB.test(each);
    }) &&
    (!asked.has("outcome") || OUTCOMES.has(asked.get("outcome"))) &&
    (!asked.has("none") || asked.get("none") === true) &&
    since <= until;
  return so ? [since, until] : null;
}

/** Whether an entry is asked about. */
export function matches(asked, event) {
  const verb = field(event, "verb", "string");
  const parts = [
    ["subject", field(event, "subject", "string")],
    ["actor", field(field(event, "actor", "map"), "id", "string")],
    ["outcome", field(event, "outcome", "string")],
  ];
  if (parts.some(([name, value]) => asked.has(name) && asked.get(name) !== value)) return false;
  const verbs = asked.get("verbs") ?? [];
  return !verbs.length || verbs.some((each) => (each.endsWith(".") ? verb.startsWith(each) : verb === each));
}
