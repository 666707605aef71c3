/** Values of options, from text to what the engine takes. Each says what it expected. */
import { ConfigurationError } from '../model/errors.ts'

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
}

/** `512MB`, `2GiB`, `1000000`. */
export function parseBytes(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*((?:[kmgt]i?)?)b?$/i.exec(text.trim())
  const unit = match === null ? undefined : byteUnits[match[2]!.toLowerCase()]
  const bytes = unit === undefined ? Number.NaN : Math.floor(Number(match![1]) * unit)
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new ConfigurationError(`--${option}: expected a size such as 512MB or 2GiB, found ${text}.`)
}

/** A whole number between two bounds. */
export function parseCount(option: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new ConfigurationError(`--${option}: expected a whole number from ${min} to ${max}, found ${text}.`)
}
