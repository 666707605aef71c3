import type { Column } from '../model/column.ts'

/** Rows of all pieces but the last are a multiple of this, so that bits need not be shifted. */
export const PIECE_ROWS_STEP = 8

/**
 * Pieces of one column, one after the other, as one column.
 *
 * @param pieces Of one storage; a dictionary or nested values are in none.
 * @throws RangeError for strings of more than 2 GiB in all.
 */
export function joinColumns<T extends Column>(pieces: readonly T[]): T {
  const first = pieces[0]!
  if (pieces.length === 1) return first
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const nullCount = pieces.reduce((sum, piece) => sum + piece.nullCount, 0)
  const base = { length, nullCount, validity: nullCount === 0 ? null : joinValidity(pieces, length) }
  switch (first.kind) {
    case 'int32':
      return { ...first, ...base, values: joinValues(new Int32Array(length), pieces) }
    case 'int64':
      return { ...first, ...base, values: joinValues(new BigInt64Array(length), pieces) }
    case 'float64':
      return { ...first, ...base, values: joinValues(new Float64Array(length), pieces) }
    case 'bool':
      return {
        ...first,
        ...base,
        bits: joinBits(
          pieces.map((piece) => bitsOf(piece)),
          pieces,
          length,
        ),
      }
    case 'bytes':
      return { ...first, ...base, ...joinBytes(pieces, length) }
    default:
      throw new Error(`pieces of a column lie in typed arrays, but one is ${first.kind}`)
  }
}

function joinValues<T extends Int32Array | BigInt64Array | Float64Array>(to: T, pieces: readonly Column[]): T {
  let row = 0
  for (const piece of pieces) {
    if (!('values' in piece)) throw mixed(piece)
    to.set(piece.values as never, row)
    row += piece.length
  }
  return to
}

function joinValidity(pieces: readonly Column[], length: number): Uint8Array {
  const all = pieces.map(({ validity, length: rows }) => validity ?? new Uint8Array((rows + 7) >> 3).fill(255))
  return joinBits(all, pieces, length)
}

function bitsOf(piece: Column): Uint8Array {
  if (piece.kind !== 'bool') throw mixed(piece)
  return piece.bits
}

function joinBits(bits: readonly Uint8Array[], pieces: readonly Column[], length: number): Uint8Array {
  const to = new Uint8Array((length + 7) >> 3)
  let row = 0
  bits.forEach((from, i) => {
    if (row % PIECE_ROWS_STEP !== 0) throw new Error(`a piece of a column begins at row ${row}`)
    to.set(from.subarray(0, (pieces[i]!.length + 7) >> 3), row >> 3)
    row += pieces[i]!.length
  })
  return to
}

const BYTES_MAX = 2 ** 31 - 1

function joinBytes(pieces: readonly Column[], length: number) {
  const offsets = new Int32Array(length + 1)
  let bytes = 0
  for (const piece of pieces) if (piece.kind === 'bytes') bytes += piece.offsets[piece.length]!
  if (bytes > BYTES_MAX) throw new RangeError(`${bytes} bytes of text in one column of a row group`)
  const data = new Uint8Array(bytes)
  let row = 0
  let at = 0
  for (const piece of pieces) {
    if (piece.kind !== 'bytes' || piece.gap !== 0) throw mixed(piece)
    for (let i = 0; i <= piece.length; i++) offsets[row + i] = at + piece.offsets[i]!
    data.set(piece.data.subarray(0, piece.offsets[piece.length]), at)
    row += piece.length
    at += piece.offsets[piece.length]!
  }
  return { offsets, data, gap: 0 as const }
}

function mixed({ kind }: Column): Error {
  return new Error(`pieces of a column are of one storage, but one is ${kind}`)
}
