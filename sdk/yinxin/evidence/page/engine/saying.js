// What the page says: in Chinese and in English, always.

/** What does not hold. */
export class Broken extends Error {
  constructor(zh, en, options) {
    super(en, options);
    this.zh = zh;
    this.en = en;
  }
}

/** A file of no kind that is judged here. */
export class Unknown extends Broken {}

/** Bytes or text in another form than they must have; who reads them says of what. */
export class Malformed extends Error {}

/** A certificate on the way had expired by then. */
export class Ended extends Broken {}

/** Nothing was said of the revocation of a certificate on the way. */
export class Unheard extends Broken {}

/** What holds. */
export const held = (zh, en) => ({ zh, en, judged: true });

/** What was not judged, because nothing was given to judge it by: told without a tick. */
export const notJudged = (zh, en) => ({ zh, en, judged: false });

/** Raise Malformed unless it is so. */
export function must(so, what) {
  if (!so) throw new Malformed(what);
}

/** Do it, and say that the thing is broken when what it reads is not what it must be. */
export function orBroken(zh, en, act) {
  try {
    return act();
  } catch (error) {
    if (error instanceof Broken) throw error;
    throw new Broken(zh, en, { cause: error }); // a reader of hostile bytes fails in any way
  }
}
