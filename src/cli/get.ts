import { ExitCode } from './failure.ts'
import { printRows, requireFormat, rowOptionSpecs } from './rows.ts'
import { defineVerb, outOption } from './verb.ts'

export const get = defineVerb({
  summary: 'Print the rows of one key of a view',
  positionals: [
    { name: 'view', describe: "The view's name" },
    {
      name: 'key',
      describe: 'Values of the key columns, in their order; fewer than there are find all that begin so',
      several: true,
    },
  ],
  options: { ...rowOptionSpecs, ...outOption },
  examples: [
    ['balances A-1017', 'the row of one account'],
    ['daily 2021-05-22 Deposited', 'one row of a view with two key columns'],
    ['daily 2021-05-22 --json', 'all rows of that day'],
    ['balances -- -5', 'a key that begins with a dash'],
  ],
  async run(given, { output }) {
    const format = requireFormat(given)
    const [view, ...texts] = given.values
    const [{ findView, readNamedColumns }, { openForKey, findRows, keyFields }, { parseKey }] = await Promise.all([
      import('./view-files.ts'),
      import('./find-rows.ts'),
      import('./key-text.ts'),
    ])
    const generation = findView(given.out, view!, given.generation)
    const key = parseKey(generation.manifest, texts)
    const opened = openForKey(generation, key)
    try {
      const fields = keyFields(opened)
      const found = opened.parts.flatMap((part) => findRows(part, fields, key).map((range) => ({ part, range })))
      const total = found.reduce((sum, { range }) => sum + range.to - range.from, 0)
      if (total === 0) {
        output.note(`View ${view}, generation ${opened.manifest.generation}, has no row of ${texts.join(' ')}.`)
        return ExitCode.failed
      }
      const batches = found.map(({ part, range }) => readNamedColumns(part, range.rowGroup, range))
      await printRows({ total, batches }, format, Number.POSITIVE_INFINITY, output)
    } finally {
      opened.close()
    }
    return ExitCode.done
  },
})
