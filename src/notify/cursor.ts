import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { OutputError } from '../model/errors.ts'
import type { NoticePlace } from '../read/notices.ts'
import { generationNumber, temporaryPath, viewFolder } from '../storage/generations.ts'
import type { Disk, Store } from '../storage/store.ts'
import type { Target } from './targets.ts'

/**
 * The last notice that a target received, in a file beside the view's generations:
 * `_notified-<target>.json` = `{"generation": "000002-41d0…", "row": 17}`. The target's name is hashed, as it may hold
 * what must not be read by everyone.
 */
export function cursorPath(out: string, view: string, target: string): string {
  return join(viewFolder(out, view), `_notified-${markOf(target)}.json`)
}

/**
 * Exists while a process delivers to a target, so that no other does: two would send the same notices. What can
 * receive one view at a time only has it in the folder of all views.
 */
export function notifyingPath(out: string, view: string, { name, oneViewAtATime }: Target): string {
  return join(oneViewAtATime ? out : viewFolder(out, view), `_notifying-${markOf(name)}`)
}

function markOf(target: string): string {
  return createHash('sha256').update(target).digest('hex').slice(0, 12)
}

/** Undefined where the target has received nothing yet. */
export function readCursor(path: string, files: Store): NoticePlace | undefined {
  if (!files.exists(path)) return undefined
  const text = files.readText(path)
  const place = parse(text)
  if (place !== undefined) return place
  throw new OutputError(
    `Cannot use ${path}: expected the last notice that was delivered, found ${JSON.stringify(text.slice(0, 60))}. ` +
      'Remove the file to deliver all notices again, or restore it.',
    { file: path },
  )
}

function parse(text: string): NoticePlace | undefined {
  let place: Partial<NoticePlace> | null
  try {
    place = JSON.parse(text) as Partial<NoticePlace> | null
  } catch {
    // The caller reports what was found.
    return undefined
  }
  const { generation, row } = place ?? {}
  const isPlace = typeof generation === 'string' && generationNumber(generation) !== undefined
  return isPlace && Number.isSafeInteger(row) && row! >= 0 ? { generation, row: row! } : undefined
}

/** Replaces the cursor in one step. */
export function writeCursor(out: string, view: string, path: string, place: NoticePlace, files: Disk): void {
  const temporary = temporaryPath(out, view, 'notified')
  try {
    files.writeNew(temporary, [new TextEncoder().encode(`${JSON.stringify(place)}\n`)])
    files.rename(temporary, path)
  } catch (error) {
    files.remove(temporary)
    throw error
  }
  files.syncFolder(viewFolder(out, view))
}
