import { formatDay } from '../model/moment.ts'
import { formatMoment } from '../model/moment-text.ts'
import { jsonDecimal, jsonTime, localMoment } from './json-leaf.ts'

/**
 * The binary form of a variant, by the Parquet format's VariantEncoding.md: its value as JSON has it. Numbers are exact:
 * integers of 64 bits are bigints; decimals beyond the digits of a number, moments and UUIDs are text, binary values
 * bytes.
 *
 *     metadata  [version 4 bits, sorted 1 bit, -, offset size - 1 2 bits][size][size + 1 offsets][names]
 *     value     [basic type 2 bits, header 6 bits][…]
 *
 * Anything that lies beyond the bytes is a RangeError.
 */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The names that objects of a variant refer to by number. */
export function variantNames(bytes: Uint8Array): readonly string[] {
  const header = byteAt(bytes, 0)
  if ((header & 15) !== 1) throw new RangeError(`version ${header & 15} of variants`)
  const width = (header >> 6) + 1
  const size = unsigned(bytes, 1, width)
  const offsets = 1 + width
  const start = offsets + (size + 1) * width
  if (start > bytes.length) throw new RangeError(`${size} names of a variant in ${bytes.length} bytes`)
  return Array.from({ length: size }, (_, i) => {
    const from = unsigned(bytes, offsets + i * width, width)
    return text(bytes, start + from, unsigned(bytes, offsets + (i + 1) * width, width) - from)
  })
}

/** A value in a variant's binary form. */
export function variantValue(bytes: Uint8Array, names: readonly string[], at = 0): unknown {
  const first = byteAt(bytes, at)
  const header = first >> 2
  switch (first & 3) {
    case 0:
      return primitive(bytes, at + 1, header)
    case 1:
      return text(bytes, at + 1, header)
    case 2:
      return objectAt(bytes, names, at + 1, header)
    default:
      return arrayAt(bytes, names, at + 1, header)
  }
}

function objectAt(bytes: Uint8Array, names: readonly string[], at: number, header: number): unknown {
  const offsetWidth = (header & 3) + 1
  const idWidth = ((header >> 2) & 3) + 1
  const sizeWidth = (header & 16) === 0 ? 1 : 4
  const size = unsigned(bytes, at, sizeWidth)
  const ids = at + sizeWidth
  const offsets = ids + size * idWidth
  const start = offsets + (size + 1) * offsetWidth
  if (start > bytes.length) throw new RangeError(`an object of ${size} fields in ${bytes.length} bytes`)
  const fields: [string, unknown][] = []
  for (let i = 0; i < size; i++) {
    const id = unsigned(bytes, ids + i * idWidth, idWidth)
    const name = names[id]
    if (name === undefined) throw new RangeError(`field ${id} of ${names.length} names`)
    fields.push([name, variantValue(bytes, names, start + unsigned(bytes, offsets + i * offsetWidth, offsetWidth))])
  }
  return Object.fromEntries(fields)
}

function arrayAt(bytes: Uint8Array, names: readonly string[], at: number, header: number): unknown {
  const width = (header & 3) + 1
  const sizeWidth = (header & 4) === 0 ? 1 : 4
  const size = unsigned(bytes, at, sizeWidth)
  const offsets = at + sizeWidth
  const start = offsets + (size + 1) * width
  if (start > bytes.length) throw new RangeError(`an array of ${size} elements in ${bytes.length} bytes`)
  return Array.from({ length: size }, (_, i) =>
    variantValue(bytes, names, start + unsigned(bytes, offsets + i * width, width)),
  )
}

function primitive(bytes: Uint8Array, at: number, type: number): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (type) {
    case 0:
      return null
    case 1:
    case 2:
      return type === 1
    case 3:
      return view.getInt8(at)
    case 4:
      return view.getInt16(at, true)
    case 5:
      return view.getInt32(at, true)
    case 6:
      return view.getBigInt64(at, true)
    case 7:
      return view.getFloat64(at, true)
    case 8:
      return jsonDecimal(BigInt(view.getInt32(at + 1, true)), view.getUint8(at))
    case 9:
      return jsonDecimal(view.getBigInt64(at + 1, true), view.getUint8(at))
    case 10: {
      const unscaled = (view.getBigInt64(at + 9, true) << 64n) | view.getBigUint64(at + 1, true)
      return jsonDecimal(unscaled, view.getUint8(at))
    }
    case 11:
      return formatDay(view.getInt32(at, true))
    case 12:
      return formatMoment(view.getBigInt64(at, true), 'us')
    case 13:
      return localMoment(view.getBigInt64(at, true), 'us')
    case 14:
      return view.getFloat32(at, true)
    case 15:
      return slice(bytes, at + 4, unsigned(bytes, at, 4)).slice()
    case 16:
      return text(bytes, at + 4, unsigned(bytes, at, 4))
    case 17:
      return jsonTime(view.getBigInt64(at, true), 'us')
    case 18:
      return formatMoment(view.getBigInt64(at, true), 'ns')
    case 19:
      return localMoment(view.getBigInt64(at, true), 'ns')
    case 20:
      return Buffer.from(slice(bytes, at, 16))
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    default:
      throw new RangeError(`type ${type} of a variant's value`)
  }
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new RangeError(`a variant of ${bytes.length} bytes, cut off`)
  return byte
}

function unsigned(bytes: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let i = width - 1; i >= 0; i--) value = value * 256 + byteAt(bytes, at + i)
  return value
}

function slice(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (length < 0 || at + length > bytes.length) throw new RangeError(`a variant of ${bytes.length} bytes, cut off`)
  return bytes.subarray(at, at + length)
}

function text(bytes: Uint8Array, at: number, length: number): string {
  try {
    return decoder.decode(slice(bytes, at, length))
  } catch (error) {
    if (error instanceof RangeError) throw error
    throw new RangeError('text that is not UTF-8')
  }
}
