// The engine of the verifier that is one page, answering question by question: a line of JSON in, a line of JSON out.
"use strict";
const { createInterface } = require("node:readline");
const { readFileSync } = require("node:fs");
const { runInThisContext } = require("node:vm");

runInThisContext(readFileSync(process.argv[2], "utf8"));

/** Octets and whole numbers come and go as objects of one field. */
function read(value) {
  if (Array.isArray(value)) return value.map(read);
  if (value?.octets !== undefined) return Uint8Array.from(Buffer.from(value.octets, "base64"));
  if (value?.whole !== undefined) return BigInt(value.whole);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, read(each)]));
}

function answer({ call, given }) {
  try {
    const [module, name] = call.split(".");
    const found = runInThisContext(`$engine_${module}`)[name](...given.map(read));
    return found instanceof Uint8Array ? { octets: Buffer.from(found).toString("base64") } : found;
  } catch (error) {
    return error.constructor.name;
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
});
