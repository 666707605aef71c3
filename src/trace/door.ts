import type { LoadedJob } from '../job/load.ts'
import type { KeyTrace, KeyTraceStream, TraceKeyOptions } from './key-trace-types.ts'

/**
 * Finds all events of one key of a view, and reports what became of each: the state before and after it, or why it was not
 * applied. Reads the view's logs as they are now; nothing needs to be published.
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
  return await keyTraceOf(job, options, disk)
}

/**
 * The same with the events one at a time, for keys of many events: only what the fold itself needs is kept in memory.
 *
 * @throws as `traceKey` does, before the first event; what a handler throws, when its event is asked for.
 *
 * @example
 * ```ts
 * const { events } = await streamTrace(job, { view: 'balances', key: ['A-1017'] })
 * for (const { event, after } of events()) console.log(event, after)
 * ```
 */
export async function streamTrace(job: LoadedJob, options: TraceKeyOptions): Promise<KeyTraceStream> {
  const [{ streamKeyTrace }, { disk }] = await Promise.all([import('./key-trace.ts'), import('../storage/disk.ts')])
  return await streamKeyTrace(job, options, disk)
}
