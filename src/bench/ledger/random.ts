/**
 * Random numbers that are a pure function of (seed, purpose, index), so that any worker can compute everything about event
 * number `index` without having made the events before it.
 */
export class Random {
  readonly #first: number
  readonly #second: number

  /** `seed`: a whole number. `purpose`: what is decided, so that decisions about one event don't depend on each other. */
  constructor(seed: number, purpose: string) {
    let key = 0x811c9dc5
    for (const letter of purpose) key = Math.imul(key ^ letter.codePointAt(0)!, 0x01000193)
    this.#first = mix(key ^ (seed | 0))
    this.#second = mix(this.#first ^ Math.floor(seed / 2 ** 32))
  }

  /** A whole number from 0 to 2^32 - 1. */
  bits(index: number): number {
    return mix((mix(index ^ this.#first) + this.#second) | 0) >>> 0
  }

  /** A number from 0 up to 1, but not 1. */
  share(index: number): number {
    return this.bits(index) / 2 ** 32
  }

  /** Exponentially distributed, with mean 1; at most 23. */
  exponential(index: number): number {
    return -naturalLogarithm((this.bits(index) + 0.5) / 2 ** 32)
  }
}

/** The finalizer of MurmurHash3: each bit of the result depends on each bit of the number. */
function mix(number: number): number {
  let hash = number
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/**
 * ln(x) for 0 < x < 1, to five digits. Only of operations whose result is the same on every machine, which the last digit
 * of Math.log is not.
 */
function naturalLogarithm(x: number): number {
  let halvings = 0
  let mantissa = x
  while (mantissa < 0.5) {
    mantissa *= 2
    halvings++
  }
  const ratio = (mantissa - 1) / (mantissa + 1)
  const square = ratio * ratio
  return 2 * ratio * (1 + square * (1 / 3 + square * (1 / 5 + square / 7))) - halvings * Math.LN2
}
