// Instants, in microseconds since 1970, as they are told.

import { must } from "./saying.js";

const HOUR = 3_600_000_000n;

function parts(at) {
  const date = new Date(Number(at / 1000n - (at % 1000n < 0n ? 1n : 0n)));
  const told = date.toISOString();
  must(/^\d{4}-/.test(told), "no year of four digits");
  return told.slice(0, 19).replace("T", " ");
}

/** In UTC. */
export const utc = (at) => `${parts(at)}Z`;

/** As clocks in China show it. */
export const local = (at) => `${parts(at + 8n * HOUR)}+08:00`;
