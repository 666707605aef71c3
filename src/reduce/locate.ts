import type { LogDuplicates } from '../dedupe/duplicates.ts'
import { workOf } from '../map/all.ts'
import type { LocateKeyTask, LocateTask } from '../map/tasks.ts'
import { describePlace, InputError, type Place, ViewError } from '../model/errors.ts'
import type { MergedPlan, Plan } from '../model/plan.ts'
import type { Executor } from '../workers/executor.ts'
import { errorOf } from '../workers/failure.ts'
import type { ReduceFailure, SpanningKey } from './tasks.ts'

/** The error of a handler that threw, with the event it threw at. */
export async function locateFailure(
  { log, group }: MergedPlan['members'][number],
  { failure, cause }: ReduceFailure,
  duplicates: LogDuplicates,
  workers: Executor,
): Promise<ViewError> {
  const { view, handler, key, split, ordinal, bucket, nth, message } = failure
  const target = { group, ordinal, bucket, nth }
  const locate: LocateTask = {
    kind: 'locate',
    log,
    split,
    duplicates: duplicates.bySplit.get(split) ?? [],
    target,
    label: 'finding the event',
  }
  const place = { ...(await workers.run(locate)), view, handler }
  const text = `View ${view}, handler ${handler}, key ${key}, at ${describePlace(place)}: ${message}`
  return new ViewError(text, place, { cause: errorOf(cause) })
}

/** The error of a key that is in two partitions, with an event of it in each. */
export async function locateSpanningKey(
  plan: Plan,
  { log: logIndex, group }: MergedPlan['members'][number],
  { spanningKey: { key, shown, splits } }: SpanningKey,
  duplicates: LogDuplicates,
  workers: Executor,
): Promise<InputError> {
  const log = plan.logs[logIndex]!
  const locates = splits.map((split): LocateKeyTask => {
    const partition = log.mapTasks.find((candidate) => candidate.includes(split))!
    return {
      kind: 'locate-key',
      log: logIndex,
      group,
      splits: workOf(partition, duplicates),
      key,
      label: 'finding the key',
    }
  })
  const [first, second] = (await workers.runAll(locates)) as [Place, Place]
  return new InputError(
    `Cannot fold log ${log.name} in place: expected all events of a key in one partition, as the log says partitionedByKey, found key ${shown} at ${describePlace(first)} and at ${describePlace(second)}. Leave partitionedByKey out, or write all events of a key into the files of one name=value folder, or into one file where there are no such folders.`,
    second,
  )
}
