import { keyBytesAt, keyReader } from '../reduce/bucket-keys.ts'
import { KeySpansPartitionsError, type Piece } from '../reduce/reduce-side.ts'
import { showKey } from '../view/key-codec.ts'
import type { PreparedView } from '../view/view-set.ts'

/**
 * States that were folded in place are one for each key, unless a key's events are in two partitions.
 *
 * @throws KeySpansPartitionsError where a key has two.
 */
export function refuseSpanningKeys(piece: Piece, view: PreparedView): void {
  const { bucket, source, rowsBefore } = piece
  const { table, rows, slotOf, rowAt } = bucket
  if (rowsBefore + rows === table.size) return
  const splitOf = (at: number) => source.blocks[bucket.originOf(at, source).block]!.split
  const first = new Int32Array(table.size).fill(-1)
  for (let row = 0; row < rows; row++) {
    const slot = slotOf[row]!
    // Rows of earlier pieces each brought a key.
    if (slot >= rowsBefore && first[slot]! < 0) {
      first[slot] = row
      continue
    }
    const key = keyBytesAt(table, slot).slice()
    const shown = showKey(keyReader(bucket, view)(slot))
    const again = splitOf(rowAt[row]!)
    const known = first[slot]! < 0 ? splitOfKey(piece, key) : splitOf(rowAt[first[slot]!]!)
    throw new KeySpansPartitionsError(key, shown, [known, again])
  }
}

/** The split that the first state of a key came with, read again: its piece of the bucket is no longer loaded. */
function splitOfKey({ bucket, source }: Piece, key: Uint8Array): number {
  bucket.open(source)
  while (bucket.next()) {
    const { table, rows, slotOf, rowAt } = bucket
    for (let row = 0; row < rows; row++) {
      if (Buffer.compare(keyBytesAt(table, slotOf[row]!), key) === 0)
        return source.blocks[bucket.originOf(rowAt[row]!, source).block]!.split
    }
  }
  throw new Error('a key that came twice is not in the bucket it came from')
}
