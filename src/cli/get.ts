import type { Rows } from '../read/rows.ts'
import { ExitCode } from './failure.ts'
import { printRows, requireFormat, rowOptionSpecs } from './rows.ts'
import { parseTier, rowsOfTier, tierOption } from './tier-option.ts'
import { defineVerb, outOption } from './verb.ts'
import { viewOptions, withView } from './view-at.ts'

export const get = defineVerb({
  positionals: [
    { name: 'view', describe: "The view's name" },
    {
      name: 'key',
      describe:
        'Values of the key columns, in their order; fewer than there are find all that begin so. Of texts that may be null, null is the null and "null" the word',
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
      const [{ openForKey, rowsOfKey }, { parseKey, WrittenText }] = await Promise.all([
        import('../read/find-rows.ts'),
        import('../read/key-text.ts'),
      ])
      const key = parseKey(
        found.manifest,
        texts.map((text) => new WrittenText(text)),
      )
      const opened = openForKey(found, key)
      try {
        const all = rowsOfKey(opened, key)
        const rows: Rows & { readonly note?: string } =
          tier === undefined ? all : await rowsOfTier(found, tier, () => all.batches, format)
        if (rows.total === 0) {
          const none = all.total > 0 ? 'no final row' : 'no row'
          const { withinWindow } = await import('../read/window.ts')
          const within = all.total > 0 ? null : withinWindow(found, key)
          context.output.note(
            `${found.title} has ${none} of ${texts.join(' ')}${within === null ? '' : `: ${within}`}.`,
          )
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
