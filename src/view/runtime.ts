import { describeBadJson, parseJson } from '../columns/exact-json.ts'
import { isHexText, isUuidText } from '../model/byte-text.ts'
import { isMomentNumber, momentNumber } from '../model/moment-number.ts'
import { dateText } from '../model/moment-text.ts'
import { fitsWide } from '../model/slots.ts'
import type { TimeUnit } from '../model/type.ts'
import { flyweight, frozen, frozenState } from './frozen.ts'
import { newState, refuseResult } from './results.ts'

/** What generated code calls: conversions that are rare or that fail. */

/** A value that a handler may not read or set: too large for its type, or an undeclared null. The caller adds the place. */
export class ValueError extends Error {
  readonly field: string
  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

const scratchWords = new Int32Array(2)
const scratchFloat = new Float64Array(scratchWords.buffer)

class InexactError extends Error {}

function exactNumber(digits: string, rounded: number): number {
  if (!Number.isFinite(rounded) || BigInt(digits) !== BigInt(rounded)) throw new InexactError(digits)
  return rounded
}

/** A moment of 2^53 steps from 1970 or more. */
function farMoment(name: string, unit: TimeUnit, moment: bigint): number {
  const number = momentNumber(moment)
  if (number !== null) return number
  throw new ValueError(
    name,
    `field "${name}": expected a moment that a number holds exactly, found ${dateText(moment, unit)}; ` +
      "declare timeUnit: 'ms' on the log if its moments are whole milliseconds; finer ones so far from 1970 have no number",
  )
}

export const runtime = {
  /** The UTF-8 bytes as a string. */
  text(bytes: Buffer, start: number, end: number): string {
    return end - start > 24 ? bytes.toString('utf8', start, end) : shortText(bytes, start, end)
  },
  parse(name: string, text: string): unknown {
    try {
      return parseJson(text, exactNumber)
    } catch (error) {
      if (error instanceof InexactError) {
        throw new ValueError(
          name,
          `field "${name}": expected integers that a number holds exactly, found ${error.message}; ` +
            `take it by its path as bigint('….name'), or have it written as a string`,
        )
      }
      throw new ValueError(name, `field "${name}": ${describeBadJson(text, error)}`)
    }
  },
  /** A document of an event: it is parsed wherever it is read, so what is written to it would be lost. */
  parseFrozen(name: string, text: string): unknown {
    return frozen(runtime.parse(name, text))
  },
  frozenState,
  flyweight,
  isHexText,
  isUuidText,
  fitsWide,
  float(low: number, high: number): number {
    scratchWords[0] = low
    scratchWords[1] = high
    return scratchFloat[0]!
  },
  big(low: number, high: number): bigint {
    return (BigInt(high) << 32n) | BigInt(low >>> 0)
  },
  unsigned(low: number, high: number): bigint {
    return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  },
  unsafe(name: string, low: number, high: number): number {
    const value = runtime.big(low, high)
    if (Number.isSafeInteger(Number(value))) return Number(value)
    throw new ValueError(
      name,
      `field "${name}": expected an integer within ±(2^53 − 1), found ${value}; declare it as bigint() to use it whole`,
    )
  },
  farMilliseconds: (name: string, low: number, high: number) => farMoment(name, 'ms', runtime.big(low, high)),
  farMicroseconds: (name: string, low: number, high: number) => farMoment(name, 'us', runtime.big(low, high)),

  isMomentNumber,
  nullField(name: string): never {
    throw new ValueError(name, `field "${name}": expected a value, found null; declare it as nullable(…)`)
  },
  refuseResult,
  newState,
  notRead(name: string): never {
    throw new ValueError(name, `field "${name}": no function of the view was found to read it; read it as e.${name}`)
  },
  refuse(name: string, expected: string, value: unknown): never {
    const found = typeof value === 'string' ? JSON.stringify(value) : `${String(value)}`
    throw new ValueError(name, `state "${name}": expected ${expected}, found ${found}`)
  },
}

function shortText(bytes: Buffer, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte > 127) return bytes.toString('utf8', start, end)
    text += String.fromCharCode(byte)
  }
  return text
}
