/** What a program that reads may and may not write. See `handlers.ts`. */
import { loadJob, openView, traceKey } from '../../src/index.ts'

const view = await openView('views', 'daily-cases', { generation: 12 })
await view.get({ day: '2021-05-17', count: 5, large: 5n, odd: true, note: null })
await view.get(['2021-05-17', 5])
// @ts-expect-error: a key's values are those that rows have
await view.get({ day: new Date() })
// @ts-expect-error: rows come some at a time
for (const _row of view.rows()) break
for await (const row of view.rows({ tier: 'live', columns: ['day'], limit: 3 })) {
  // @ts-expect-error: a row is read-only
  row['day'] = ''
  // @ts-expect-error: what a column holds is not known to the compiler
  row['day'].slice(1)
}
// @ts-expect-error: there is no such tier
view.rows({ tier: 'provisional' })
const diff = await view.diff({ before: 1, allColumns: true })
for await (const { old, new: now } of diff.changes()) {
  // @ts-expect-error: an added row has no old values
  old['cases']
  now?.['cases']
}
// @ts-expect-error: a trace is of a key
await traceKey(await loadJob('job.ts'), { view: 'daily-cases' })
