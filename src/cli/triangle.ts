import { toJson } from '../read/json.ts'
import { ExitCode } from './failure.ts'
import { parseCount } from './options.ts'
import { printRows, requireFormat, rowOptionSpecs } from './rows.ts'
import { defineVerb, outOption } from './verb.ts'
import { viewOptions, withView } from './view-at.ts'

/** What a table shows of a triangle. */
const tableWindowsDefault = 20
const tableDelaysDefault = 10

export const triangle = defineVerb({
  positionals: [{ name: 'view', describe: "The view's name" }],
  options: {
    events: { type: 'boolean', default: false, describe: 'Count events instead of what the view measures' },
    incremental: { type: 'boolean', default: false, describe: 'What each delay added, instead of all up to it' },
    limit: {
      type: 'string',
      value: 'count',
      requiresArg: true,
      describe: `Maximum number of windows, the latest. Default: ${tableWindowsDefault} in a table, else all`,
    },
    delays: {
      type: 'string',
      value: 'count',
      requiresArg: true,
      describe: `Maximum number of delays, the shortest. Default: ${tableDelaysDefault} in a table, else all`,
    },
    ...rowOptionSpecs,
    ...viewOptions,
    ...outOption,
  },
  examples: [
    ['daily', 'windows below each other, delays beside each other; and how complete windows are at which age'],
    ['daily --incremental --events', 'how many reports came with each delay'],
    ['daily --format csv > triangle.csv', 'the whole triangle, a line for each window'],
    ['daily --known-at 2021-05-22 --json', 'all of it as it was known that day, for a program'],
  ],
  async run(given, context) {
    const format = requireFormat(given)
    const isTable = format === 'table'
    const countOf = (option: 'limit' | 'delays', byDefault: number) => {
      const text = given[option]
      if (text !== undefined) return parseCount(option, text, 1, Number.MAX_SAFE_INTEGER)
      return isTable ? byDefault : Number.POSITIVE_INFINITY
    }
    const shape = {
      incremental: given.incremental,
      windows: countOf('limit', tableWindowsDefault),
      delays: countOf('delays', tableDelaysDefault),
    }
    return withView(given, given.values[0]!, context, async (found) => {
      const [{ readTriangle }, { triangleColumns, triangleReport }, printing] = await Promise.all([
        import('../read/triangle-file.ts'),
        import('../read/triangle-rows.ts'),
        import('./print-triangle.ts'),
      ])
      const read = readTriangle(found, given.events ? 'events' : 'measure', 'refold triangle')
      if (given.json) await context.output.result(toJson(triangleReport(found, read, shape)))
      else if (isTable) await context.output.result(printing.describeTriangle(read, shape, context.output.width))
      else {
        const columns = triangleColumns(read, shape)
        const total = columns[0]!.column.length
        await printRows({ total, batches: [columns] }, format, Number.POSITIVE_INFINITY, context.output)
      }
      for (const note of printing.triangleNotes(read, isTable ? shape : undefined)) context.output.note(note)
      return ExitCode.done
    })
  },
})
