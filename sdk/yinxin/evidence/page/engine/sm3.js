// SM3 (GM/T 0004 section 5).

const START = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];
const turned = (word, by) => (word << (by % 32)) | (word >>> (32 - (by % 32)));
const mixed = (word, by, other) => word ^ turned(word, by) ^ turned(word, other);
// a turn by 0 is the word itself: a shift by 32 is one by 0
const ROUNDS = Array.from({ length: 64 }, (_, j) => turned(j < 16 ? 0x79cc4519 : 0x7a879d8a, j));

function block(state, view, at, words) {
  for (let j = 0; j < 16; j += 1) words[j] = view.getInt32(at + 4 * j);
  for (let j = 16; j < 68; j += 1) {
    const x = words[j - 16] ^ words[j - 9] ^ turned(words[j - 3], 15);
    words[j] = mixed(x, 15, 23) ^ turned(words[j - 13], 7) ^ words[j - 6];
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let j = 0; j < 64; j += 1) {
    const twelve = turned(a, 12);
    const one = turned((twelve + e + ROUNDS[j]) | 0, 7);
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const left = (ff + d + (one ^ twelve) + (words[j] ^ words[j + 4])) | 0;
    const right = (gg + h + one + words[j]) | 0;
    [a, b, c, d] = [left, a, turned(b, 9), c];
    [e, f, g, h] = [mixed(right, 9, 17), e, turned(f, 19), g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, at_) => (state[at_] ^= word));
}

/** The hash, 32 octets. */
export function sm3(data) {
  const padded = new Uint8Array(Math.ceil((data.length + 9) / 64) * 64);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(data.length) * 8n);
  const state = Int32Array.from(START);
  const words = new Int32Array(68);
  for (let at = 0; at < padded.length; at += 64) block(state, view, at, words);
  const found = new DataView(new ArrayBuffer(32));
  state.forEach((word, at) => found.setInt32(4 * at, word));
  return new Uint8Array(found.buffer);
}
