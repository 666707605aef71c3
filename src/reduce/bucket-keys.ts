import type { KeyTable } from '../shuffle/key-table.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { Bucket } from './bucket.ts'

/** The bytes of a key, where they are in the table. */
export function keyBytesAt({ words, starts, lengths }: KeyTable, slot: number): Uint8Array {
  return new Uint8Array(words.buffer, starts[slot]! * 4, lengths[slot]!)
}

/** Gives the keys of a bucket as functions of a view see them, each made once. Good until the bucket loads other rows. */
export function keyReader({ table }: Bucket, { codec }: PreparedView): (slot: number) => unknown {
  const bytes = new Uint8Array(table.words.buffer)
  const { starts, lengths } = table
  // Most handlers take no key, so there is room for none before the first is asked for.
  let keys: unknown[] = noKeys
  return (slot) => {
    if (keys === noKeys) keys = new Array<unknown>(table.size)
    keys[slot] ??= Object.freeze(codec.read(bytes, starts[slot]! * 4, starts[slot]! * 4 + lengths[slot]!))
    return keys[slot]
  }
}

const noKeys: unknown[] = []
