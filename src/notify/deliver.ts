import { setTimeout } from 'node:timers/promises'
import { noticesAfter, type SentNotice } from '../read/notices.ts'
import { readCurrent } from '../storage/generations.ts'
import { takeLock } from '../storage/lock.ts'
import type { Disk } from '../storage/store.ts'
import { cursorPath, notifyingPath, readCursor, writeCursor } from './cursor.ts'
import { NotTaken, type Target, undelivered } from './targets.ts'

export interface DeliverOptions {
  /** How often a notice is sent again that was not taken. */
  readonly retries: number
  /** Before the first time; each later wait is twice as long, up to `waitMaxMs`. */
  readonly waitMs: number
  readonly signal: AbortSignal
  /** Called with the reason why undelivered notices are left out, where some are. */
  readonly onGap?: (reason: string) => void
  /** Called for each notice that was taken. */
  readonly onDelivered?: (notice: SentNotice) => void
}

const waitMaxMs = 60_000

export interface Delivered {
  readonly delivered: number
  /** Id of the last notice that was delivered now. */
  readonly last: string | null
}

/**
 * Delivers the notices of a view that a target has not received yet, in their order, each at least once: the cursor moves
 * when notices were taken, so those that were taken right before the process died are delivered again, under the same ids; to a file,
 * which shows them, they are not.
 *
 * @throws OutputError naming target and notice, where one is not taken; or the process that delivers to this target now.
 */
export async function deliverNotices(
  out: string,
  view: string,
  target: Target,
  options: DeliverOptions,
  files: Disk,
): Promise<Delivered> {
  // Before anything is made in its folder.
  readCurrent(out, view, files)
  const release = takeLock(notifyingPath(out, view, target), `deliver to ${target.name}`, files)
  try {
    return await deliverAll(out, view, target, options, files)
  } finally {
    release()
  }
}

async function deliverAll(
  out: string,
  view: string,
  target: Target,
  options: DeliverOptions,
  files: Disk,
): Promise<Delivered> {
  const cursor = cursorPath(out, view, target.name)
  let delivered = 0
  let last: string | null = null
  const onGap = options.onGap ?? (() => {})
  const notices = noticesAfter(out, view, readCursor(cursor, files), files, onGap)
  for (const batch of batchesOf(notices, target.batchMax)) {
    options.signal.throwIfAborted()
    await deliver(batch, target, options)
    writeCursor(out, view, cursor, batch.at(-1)!.place, files)
    delivered += batch.length
    last = batch.at(-1)!.id
    for (const notice of batch) options.onDelivered?.(notice)
  }
  return { delivered, last }
}

/** Of a batch that is held in memory; one notice may be larger. */
const batchLengthMax = 2 ** 21

function* batchesOf(notices: Iterable<SentNotice>, countMax: number): Generator<readonly SentNotice[]> {
  let batch: SentNotice[] = []
  let length = 0
  for (const notice of notices) {
    batch.push(notice)
    length += notice.json.length
    if (batch.length < countMax && length < batchLengthMax) continue
    yield batch
    batch = []
    length = 0
  }
  if (batch.length > 0) yield batch
}

async function deliver(
  batch: readonly SentNotice[],
  target: Target,
  { retries, waitMs, signal }: DeliverOptions,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await target.deliver(batch, signal)
      return
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error
      if (!error.mayRetry || attempt > retries) throw undelivered(target.name, batch[0]!, attempt, error)
    }
    await setTimeout(Math.min(waitMaxMs, waitMs * 2 ** (attempt - 1)), undefined, { signal })
  }
}
