/** Values of options, from text to what the engine takes. Each says what it expected. */
import { ConfigurationError } from '../model/errors.ts'

/** A whole number between two bounds. */
export function parseCount(option: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new ConfigurationError(`--${option}: expected a whole number from ${min} to ${max}, found ${text}.`)
}
