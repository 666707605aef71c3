/** A page that can't be decompressed or decoded: what was expected and found. The caller adds the place. */
export class PageError extends Error {}
