import { stringsOf } from '../columns/strings.ts'
import type { Block } from '../shuffle/block.ts'
import type { RowLayout } from '../view/row-layout.ts'

/** The strings of all blocks together, each with one code: blocks number theirs by themselves. */
export class BucketStrings {
  /** By slot of the layout. */
  readonly texts: string[][]
  readonly #codes: Map<string, number>[]
  readonly #known = new Map<string, (Int32Array | null)[]>()

  constructor(layout: RowLayout) {
    this.texts = layout.slots.map(() => [])
    this.#codes = layout.slots.map(() => new Map())
  }

  /** By slot: the code of all blocks for each code of the block; null where its strings have none. */
  codesOf(block: Block): readonly (Int32Array | null)[] {
    const name = `${block.member}:${block.split}:${block.ordinal}`
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const codes = block.strings.map((strings, slot) =>
      strings === null ? null : Int32Array.from(stringsOf(strings), (text) => this.#codeOf(slot, text)),
    )
    this.#known.set(name, codes)
    return codes
  }

  #codeOf(slot: number, text: string): number {
    const codes = this.#codes[slot]!
    let code = codes.get(text)
    if (code === undefined) {
      code = this.texts[slot]!.length
      this.texts[slot]!.push(text)
      codes.set(text, code)
    }
    return code
  }
}
