import { describePlace, type Place, ViewError } from '../model/errors.ts'
import { describeThrown } from '../view/thrown.ts'
import type { Batch } from './event-batch.ts'

/**
 * What a user's function threw, with the event it threw at.
 *
 * @param who The function, in words.
 */
export function functionError(
  of: Pick<Place, 'view' | 'handler'>,
  who: string,
  batch: Batch,
  row: number,
  error: unknown,
): ViewError {
  const place = { ...eventPlace(batch, row), ...of }
  return new ViewError(`${who}, at ${describePlace(place)}: ${describeThrown(error)}`, place, { cause: error })
}

/** The place of an event with its id, which is read for this: for messages. */
export function eventPlace(batch: Batch, row: number): Place {
  const place = placeOf(batch, row)
  return { ...place, eventId: batch.eventIdAt(place.row!) }
}

export function placeOf(batch: Batch, row: number): Place {
  return { file: batch.file, rowGroup: batch.rowGroup, row: batch.origin === null ? row : batch.origin[row]! }
}
