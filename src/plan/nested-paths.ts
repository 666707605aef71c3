import { InputError } from '../model/errors.ts'
import type { Type } from '../model/type.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { EACH, type Shape, shapeAt, stepInto } from '../parquet/nested-shape.ts'

/** What is declared of a slot that lies at a path. */
interface PathSlot {
  /** The role or the field, in words, for messages. */
  readonly what: string
  readonly type: Type | undefined
}

/**
 * Whether a path may lead to something within a list, map or variant, or within text. A path across a list gives a list, which only JSON
 * holds.
 */
export function leadsSomewhere(slot: PathSlot, file: ParquetFile, steps: readonly string[], depth: number): boolean {
  let shape: Shape | undefined = shapeAt(file, steps.slice(0, depth))
  // Text and variants say themselves what they hold, value by value.
  for (const [i, step] of steps.slice(depth).entries()) {
    if (shape.kind === 'variant' || (i === 0 && shape.kind === 'leaf')) return true
    if (step === EACH && slot.type?.kind !== 'json') refuseList(slot, file, steps)
    const next: Shape | undefined = stepInto(shape, step)
    if (next === undefined) return false
    shape = next
  }
  return true
}

function refuseList({ what, type }: PathSlot, { path }: ParquetFile, steps: readonly string[]): never {
  const column = steps.join('.')
  throw new InputError(
    `Cannot read ${path}, column "${column}" (${what}): expected ${type?.kind ?? 'a value'}, found a list, as * leads to each element. Declare json('${column}'), or the index of one element.`,
    { file: path, column },
  )
}

/** The names there are where a path leads nowhere: of columns and folders, or of the struct it leads into. */
export function namesBeside(
  file: ParquetFile,
  steps: readonly string[],
  folders: ReadonlyMap<string, string>,
): string[] {
  const [top, ...more] = steps.slice(0, -1)
  const isColumn = file.schema.some(({ name }) => name === top)
  let shape: Shape | undefined = isColumn ? shapeAt(file, [top!]) : undefined
  for (const step of more) shape = stepInto(shape, step) ?? shape
  return shape?.kind === 'struct'
    ? [...shape.fields.keys()]
    : [...file.schema.map(({ name }) => name), ...folders.keys()]
}
