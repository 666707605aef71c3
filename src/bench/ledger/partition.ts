import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type OutputCodec, ParquetEncoder } from '../../parquet/write.ts'
import { LedgerModel, type LedgerShape } from './model.ts'
import { columnsOf, type Payload, RowGroup } from './row-group.ts'

/** Everything a worker must know to write one partition. Plain data, so that it can be sent to a thread. */
export interface PartitionTask {
  readonly shape: LedgerShape
  readonly by: 'account' | 'day'
  readonly partition: number
  readonly partitions: number
  readonly folder: string
  /** Files that the partition's rows are cut into. */
  readonly files: number
  readonly rowGroupRows: number
  readonly codec: OutputCodec
  readonly dictionary: boolean
  readonly payload: Payload
}

export interface PartitionSummary {
  readonly files: readonly { readonly path: string; readonly rows: number; readonly bytes: number }[]
  readonly events: number
  readonly duplicates: number
  readonly late: number
  readonly displaced: number
}

/** The partition's events in the order of recording: their numbers, and their positions in their accounts' streams. */
interface Events {
  readonly numbers: Uint32Array
  readonly sequences: Uint32Array
}

export function writePartition(task: PartitionTask): PartitionSummary {
  const model = new LedgerModel(task.shape)
  const events = task.by === 'account' ? eventsOfAccounts(task, model) : eventsOfDay(task, model)
  const { order, duplicates, displaced } = deliveryOrder(events, model)
  const files = writeFiles(task, model, events, order)
  let late = 0
  for (const number of events.numbers) if (model.isLate(number)) late++
  return { files, events: events.numbers.length, duplicates, late, displaced }
}

/** All events of the accounts whose hash is the partition: each worker looks at every event and keeps its own. */
function eventsOfAccounts({ shape, partition, partitions }: PartitionTask, model: LedgerModel): Events {
  const list = new EventList(Math.ceil(shape.events / partitions))
  const streams = new Uint32Array(shape.accounts + 1)
  for (let event = 0; event < shape.events; event++) {
    const account = model.accountOf(event)
    if (model.partitionOf(account, partitions) === partition) list.add(event, streams[account]!++)
  }
  return list.finish()
}

/** All events recorded on a day; those before are looked at to know how long each account's stream is by then. */
function eventsOfDay({ shape, partition }: PartitionTask, model: LedgerModel): Events {
  const list = new EventList(Math.ceil(shape.events / shape.days))
  const streams = new Uint32Array(shape.accounts + 1)
  for (let event = 0; event < shape.events; event++) {
    const day = model.dayOf(event)
    if (day > partition) break
    const account = model.accountOf(event)
    const sequence = streams[account]!++
    if (day === partition) list.add(event, sequence)
  }
  return list.finish()
}

class EventList {
  #numbers: Uint32Array
  #sequences: Uint32Array
  #length = 0

  constructor(expected: number) {
    this.#numbers = new Uint32Array(expected + 1024)
    this.#sequences = new Uint32Array(expected + 1024)
  }

  add(number: number, sequence: number): void {
    if (this.#length === this.#numbers.length) {
      this.#numbers = doubled(this.#numbers)
      this.#sequences = doubled(this.#sequences)
    }
    this.#numbers[this.#length] = number
    this.#sequences[this.#length++] = sequence
  }

  finish(): Events {
    return {
      numbers: this.#numbers.subarray(0, this.#length),
      sequences: this.#sequences.subarray(0, this.#length),
    }
  }
}

function doubled(array: Uint32Array): Uint32Array {
  const larger = new Uint32Array(2 * array.length)
  larger.set(array)
  return larger
}

/** Positions in `events` in the order of the rows: as recorded, but for displaced rows and second deliveries. */
function deliveryOrder({ numbers }: Events, model: LedgerModel) {
  const moved: { readonly event: number; readonly at: number }[] = []
  const isMoved = new Uint8Array(numbers.length)
  let displaced = 0
  for (const [event, number] of numbers.entries()) {
    let at = event
    if (model.isDisplaced(number)) {
      at += model.displacement(number)
      isMoved[event] = 1
      displaced++
      moved.push({ event, at })
    }
    if (!model.isDuplicated(number)) continue
    moved.push({ event, at: at + model.duplicateDistance(number, Math.max(0, numbers.length - at)) })
  }
  moved.sort((left, right) => left.at - right.at || left.event - right.event)

  const order = new Uint32Array(numbers.length - displaced + moved.length)
  let length = 0
  let next = 0
  for (let event = 0; event < numbers.length; event++) {
    if (isMoved[event] === 0) order[length++] = event
    while (next < moved.length && moved[next]!.at <= event) order[length++] = moved[next++]!.event
  }
  while (next < moved.length) order[length++] = moved[next++]!.event
  return { order, displaced, duplicates: moved.length - displaced }
}

function writeFiles(task: PartitionTask, model: LedgerModel, events: Events, order: Uint32Array) {
  mkdirSync(task.folder, { recursive: true })
  const rowGroup = new RowGroup(model, Math.min(task.rowGroupRows, order.length), task.payload)
  const rowsPerFile = Math.ceil(order.length / task.files)
  return Array.from({ length: task.files }, (_, file) => {
    const path = join(task.folder, `part-${String(file).padStart(5, '0')}.parquet`)
    const rows = order.subarray(file * rowsPerFile, (file + 1) * rowsPerFile)
    return { path, rows: rows.length, bytes: writeFile(path, task, rowGroup, events, rows) }
  })
}

function writeFile(path: string, task: PartitionTask, group: RowGroup, events: Events, order: Uint32Array): number {
  const encoder = new ParquetEncoder(columnsOf(task.payload), { codec: task.codec, dictionary: task.dictionary })
  const descriptor = openSync(path, 'wx')
  let bytes = 0
  const write = (chunks: readonly Uint8Array[]): void => {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at, chunk.length - at)
      bytes += chunk.length
    }
  }
  try {
    for (let from = 0; from < order.length; from += task.rowGroupRows) {
      group.length = 0
      for (const event of order.subarray(from, from + task.rowGroupRows)) {
        group.add(events.numbers[event]!, events.sequences[event]!)
      }
      write(encoder.writeRowGroup(group.columns()))
    }
    write(encoder.finish())
  } finally {
    closeSync(descriptor)
  }
  return bytes
}
