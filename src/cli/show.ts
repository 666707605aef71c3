import { ExitCode } from './failure.ts'
import { parseCount } from './options.ts'
import { printRows, requireFormat, rowOptionSpecs } from './rows.ts'
import { parseTier, rowsOfTier, tierOption } from './tier-option.ts'
import { defineVerb, outOption } from './verb.ts'
import { viewOptions, withView } from './view-at.ts'

const tableRowsDefault = 20

export const show = defineVerb({
  positionals: [{ name: 'view', describe: "The view's name" }],
  options: {
    ...rowOptionSpecs,
    ...tierOption,
    ...viewOptions,
    limit: {
      type: 'string',
      value: 'count',
      requiresArg: true,
      describe: `Maximum number of rows. Default: ${tableRowsDefault} in a table, else all`,
    },
    ...outOption,
  },
  examples: [
    ['balances', 'the first 20 rows, as a table'],
    ['balances --limit 1000 --format csv > balances.csv', 'the first 1,000 as CSV'],
    ['balances --format arrow | python -c "…"', "all rows as an Arrow IPC stream, for pyarrow's ipc.open_stream"],
    ['balances --generation 12', 'the rows of an older generation'],
    ['daily --tier live', 'also how complete each provisional window is, and its expected final figure'],
    ['daily --tier final', 'only figures that no longer change'],
    ['daily --known-at 2021-05-22', 'the rows as they would have been that day, rebuilt for this from its job'],
  ],
  async run(given, context) {
    const format = requireFormat(given)
    const tier = parseTier(given.tier)
    const limitDefault = format === 'table' ? tableRowsDefault : Number.POSITIVE_INFINITY
    const limit =
      given.limit === undefined ? limitDefault : parseCount('limit', given.limit, 0, Number.MAX_SAFE_INTEGER)
    return withView(given, given.values[0]!, context, async (found) => {
      const [{ openParts }, { orderedBatches }] = await Promise.all([
        import('../read/view-files.ts'),
        import('../read/ordered-rows.ts'),
      ])
      const opened = openParts(found, found.manifest.files)
      try {
        if (tier === undefined) {
          const rows = { total: opened.manifest.rows, batches: orderedBatches(opened, { limit }) }
          await printRows(rows, format, limit, context.output)
        } else {
          const rows = await rowsOfTier(found, tier, () => orderedBatches(opened), format)
          await printRows(rows, format, limit, context.output)
          context.output.note(rows.note)
        }
      } finally {
        opened.close()
      }
      return ExitCode.done
    })
  },
})
