import { RefoldError } from '../model/errors.ts'
import { findCurrent } from '../storage/generations.ts'
import { openForKey, rowsOfKey } from './find-rows.ts'
import { compactJson } from './json.ts'
import { parseKey, WrittenText } from './key-text.ts'
import { rowObjects } from './rows.ts'
import { findView } from './view-files.ts'

/**
 * The current generation of a view, where its rows of a key are not these; undefined where they are, where none was
 * published, or where it was built as of another moment than now.
 */
export function generationThatDiffers(
  out: string,
  view: string,
  texts: readonly string[],
  rows: readonly Record<string, unknown>[],
): string | undefined {
  const current = findCurrent(out, view)
  if (current === undefined) return undefined
  const { options } = findView(out, view).manifest
  if (options.knownAt !== null || options.asOf !== null) return undefined
  return compactJson(publishedRows(out, view, texts)) === compactJson(rows) ? undefined : current.generation
}

/**
 * `Generation 000002-41d0… knew up to 2021-05-22T15:59:59.999999Z`: what the current generation leaves out, where it was built as of
 * another moment than now; undefined where it was not, or none was published.
 */
export function momentsOfCurrent(out: string, view: string): string | undefined {
  const current = findCurrent(out, view)
  if (current === undefined) return undefined
  const { knownAt, asOf } = findView(out, view).manifest.options
  const limits = [
    ...(knownAt === null ? [] : [`knew up to ${knownAt}`]),
    ...(asOf === null ? [] : [`has what occurred up to ${asOf}`]),
  ]
  return limits.length === 0 ? undefined : `Generation ${current.generation} ${limits.join(' and ')}`
}

/** Null where the view has other key columns, so that no row of it can have the key. */
function publishedRows(out: string, view: string, texts: readonly string[]): Record<string, unknown>[] | null {
  const found = findView(out, view)
  let key: ReturnType<typeof parseKey>
  try {
    key = parseKey(
      found.manifest,
      texts.map((text) => new WrittenText(text)),
    )
  } catch (error) {
    if (error instanceof RefoldError) return null
    throw error
  }
  const opened = openForKey(found, key)
  try {
    return [...rowsOfKey(opened, key).batches].flatMap(rowObjects)
  } finally {
    opened.close()
  }
}
