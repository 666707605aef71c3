import type { LoadedJob } from '../job/load.ts'
import type { KeyTrace, TraceKeyOptions } from './key-trace-types.ts'

/**
 * Finds all events of one key of a view, and reports what became of each: the state before and after it, or why it was not
 * applied. Reads the job's log as it is now; nothing needs to be published.
 *
 * @throws ConfigurationError where the job has no such view or the view can have no such key, and what a rebuild would throw.
 *
 * @example
 * ```ts
 * const job = await loadJob('jobs/ledger.ts')
 * const { events } = await traceKey(job, { view: 'balances', key: { account_id: 'A-1017' } })
 * ```
 */
export async function traceKey(job: LoadedJob, options: TraceKeyOptions): Promise<KeyTrace> {
  const [{ keyTraceOf }, { disk }] = await Promise.all([import('./key-trace.ts'), import('../storage/disk.ts')])
  return keyTraceOf(job, options, disk)
}
