import { ExitCode } from './failure.ts'
import type { KeyValue } from './key-text.ts'
import { printRows, requireFormat, rowOptionSpecs } from './rows.ts'
import { parseTier, tierOption } from './tier-option.ts'
import { defineVerb, outOption } from './verb.ts'
import { type NamedView, viewOptions, withView } from './view-at.ts'

export const get = defineVerb({
  positionals: [
    { name: 'view', describe: "The view's name" },
    {
      name: 'key',
      describe: 'Values of the key columns, in their order; fewer than there are find all that begin so',
      several: true,
    },
  ],
  options: { ...rowOptionSpecs, ...tierOption, ...viewOptions, ...outOption },
  examples: [
    ['balances A-1017', 'the row of one account'],
    ['daily 2021-05-22 Deposited', 'one row of a view with two key columns'],
    ['daily 2021-05-22 --json', 'all rows of that day'],
    ['balances A-1017 --known-at 2021-05-22', 'the same row as it would have been that day'],
    ['balances -- -5', 'a key that begins with a dash'],
  ],
  async run(given, context) {
    const format = requireFormat(given)
    const tier = parseTier(given.tier)
    const [view, ...texts] = given.values as [string, ...string[]]
    return withView(given, view, context, async (found) => {
      const [{ readNamedColumns }, { openForKey, findRows, keyFields }, { parseKey }] = await Promise.all([
        import('./view-files.ts'),
        import('./find-rows.ts'),
        import('./key-text.ts'),
      ])
      const key = parseKey(found.manifest, texts)
      const opened = openForKey(found, key)
      try {
        const fields = keyFields(opened)
        const ranges = opened.parts.flatMap((part) => findRows(part, fields, key).map((range) => ({ part, range })))
        const batches = ranges.map(({ part, range }) => readNamedColumns(part, range.rowGroup, range))
        const total = ranges.reduce((sum, { range }) => sum + range.to - range.from, 0)
        const rows =
          tier === undefined
            ? { total, batches, note: undefined }
            : (await import('./tier.ts')).tieredRows(found, tier, () => batches, format === 'table')
        if (rows.total === 0) {
          const none = total > 0 ? 'no final row' : 'no row'
          const within = total > 0 ? '' : await withinWindow(found, key)
          context.output.note(`${found.title} has ${none} of ${texts.join(' ')}${within}.`)
          return ExitCode.failed
        }
        await printRows(rows, format, Number.POSITIVE_INFINITY, context.output)
        if (rows.note !== undefined) context.output.note(rows.note)
      } finally {
        opened.close()
      }
      return ExitCode.done
    })
  },
})

/** `: 2021-03-15 is in the window 2021-03-01`, where the key names no window but a day or moment of one. */
async function withinWindow(found: NamedView, key: readonly KeyValue[]): Promise<string> {
  const { window, key: columns } = found.manifest
  const at = columns.findIndex(({ name }) => name === window?.column)
  const value = key[at]
  if (window === null || (typeof value !== 'bigint' && typeof value !== 'number')) return ''
  const [{ calendarOf }, { describeWithinWindow }] = await Promise.all([
    import('./triangle-file.ts'),
    import('../time/lateness.ts'),
  ])
  try {
    const within = describeWithinWindow(calendarOf(found, window), value)
    return within === null ? '' : `: ${within}`
  } catch (error) {
    // No calendar reaches that far, and so no window does.
    if (error instanceof RangeError) return ''
    throw error
  }
}
