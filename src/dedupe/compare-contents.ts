import { ConflictError, describePlace, type RefoldError, ViewError } from '../model/errors.ts'
import type { LogPlan } from '../model/plan.ts'
import type { Store } from '../storage/store.ts'
import { describeConflict } from './conflict.ts'
import type { LogDuplicates, RowPlace } from './duplicates.ts'

/** What is needed of a mapped split: for each row group with members, two words a member that are equal for equal contents. */
export interface SplitContents {
  readonly contents: readonly { readonly rowGroup: number; readonly words: Int32Array }[]
}

/** Rows of one identity must have one content. @throws ConflictError where two differ. */
export function compareContents(
  log: LogPlan,
  { sets, bySplit }: LogDuplicates,
  mapped: readonly SplitContents[],
  files: Store,
): void {
  /** By set: the content of its first row, and where that is: one more than the split, row group, row. */
  const contents = new Int32Array(2 * sets)
  const places = new Int32Array(3 * sets)
  let compared = 0
  mapped.forEach((result, split) => {
    for (const { rowGroup, words } of result.contents) {
      const { members, sets: own } = bySplit.get(split)!.find((candidate) => candidate.rowGroup === rowGroup)!
      for (let i = 0; i < members.length; i++) {
        const set = own[i]!
        if (places[3 * set] === 0) {
          contents.set([words[2 * i]!, words[2 * i + 1]!], 2 * set)
          places.set([split + 1, rowGroup, members[i]!], 3 * set)
          compared++
        } else if (contents[2 * set] !== words[2 * i] || contents[2 * set + 1] !== words[2 * i + 1]) {
          const [splitAfter, firstRowGroup, row] = places.subarray(3 * set, 3 * set + 3) as unknown as RowNumbers
          const first = { split: splitAfter - 1, rowGroup: firstRowGroup, row }
          throw conflict(log, first, { split, rowGroup, row: members[i]! }, files)
        }
      }
    }
  })
  if (compared !== sets) throw new Error(`of ${sets} sets of duplicates only ${compared} were compared`)
}

/** What may differ between deliveries is declared; what an event is may not. */
function adviceOf({ slots, roles, duplicates }: LogPlan, column: string): string {
  const slot = slots.findIndex(({ name }) => name === column)
  if ([...roles.id, roles.key, roles.type, roles.occurredAt].includes(slot)) return ''
  const names = [...(duplicates?.ignored.map((ignored) => slots[ignored]!.name) ?? []), column]
  const list = names.map((name) => `'${name}'`).join(', ')
  return ` If the event was delivered twice and only how it arrived differs, declare it for the log: duplicates: { ignore: [${list}], keep: '${duplicates?.keep ?? 'first'}' }.`
}

type RowNumbers = readonly [number, number, number]

function conflict(log: LogPlan, a: RowPlace, b: RowPlace, files: Store): RefoldError {
  const { eventId, differing, places } = describeConflict(log, a, b, files)
  if (differing === null) {
    return new ViewError(
      `Events ${eventId} of log ${log.name} have ids that can't be distinguished by their hashes, at ${places.map(describePlace).join(' and ')}. Please report this.`,
    )
  }
  return new ConflictError(
    `Event ${eventId} is in log ${log.name} with different contents: ${describePlace(places[0]!)} has ${differing.column} ${differing.values[0]}, ${describePlace(places[1]!)} has ${differing.values[1]}. An event never changes; record a correction as a new event with its own id.${adviceOf(log, differing.column)}`,
    { ...places[1]!, eventId, column: differing.column },
  )
}
