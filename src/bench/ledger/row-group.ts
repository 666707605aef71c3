import type { BytesColumn, Column } from '../../model/column.ts'
import { int64, json, string, timestamp } from '../../model/types.ts'
import type { OutputColumn } from '../../parquet/write.ts'
import { branches, channels, type LedgerModel, types } from './model.ts'

export type Payload = 'column' | 'json'

export function columnsOf(payload: Payload): OutputColumn[] {
  return [
    { name: 'event_id', type: int64() },
    { name: 'account_id', type: string() },
    { name: 'branch', type: string() },
    { name: 'type', type: string() },
    payload === 'json' ? { name: 'payload', type: json() } : { name: 'amount', type: int64() },
    { name: 'occurred_at', type: timestamp('us') },
    { name: 'recorded_at', type: timestamp('us') },
    { name: 'seq', type: int64() },
  ]
}

const accountBytes = 12
const payloadParts = ['{"amount":', ',"currency":"EUR","channel":"', '"}'].map((text) => Buffer.from(text))
const payloadChannels = channels.map((channel) => Buffer.from(channel))
const payloadBytesMax = 64

/** The rows of a row group in typed arrays that are filled again and again, without a string or a bigint for any row. */
export class RowGroup {
  readonly #model: LedgerModel
  readonly #payload: Payload
  readonly #numbers: Record<'event' | 'amount' | 'occurred' | 'recorded' | 'sequence', BigInt64Array>
  readonly #words: Record<'event' | 'amount' | 'occurred' | 'recorded' | 'sequence', Int32Array>
  readonly #types: Int32Array
  readonly #branches: Int32Array
  readonly #accounts: Uint8Array
  readonly #accountOffsets: Int32Array
  readonly #payloads: Uint8Array
  readonly #payloadOffsets: Int32Array
  readonly #typeNames = bytesOf(types)
  readonly #branchNames = bytesOf(branches)
  length = 0

  constructor(model: LedgerModel, rows: number, payload: Payload) {
    const numbers = () => new BigInt64Array(rows)
    this.#model = model
    this.#payload = payload
    this.#numbers = {
      event: numbers(),
      amount: numbers(),
      occurred: numbers(),
      recorded: numbers(),
      sequence: numbers(),
    }
    this.#words = {
      event: new Int32Array(this.#numbers.event.buffer),
      amount: new Int32Array(this.#numbers.amount.buffer),
      occurred: new Int32Array(this.#numbers.occurred.buffer),
      recorded: new Int32Array(this.#numbers.recorded.buffer),
      sequence: new Int32Array(this.#numbers.sequence.buffer),
    }
    this.#types = new Int32Array(rows)
    this.#branches = new Int32Array(rows)
    this.#accounts = new Uint8Array(accountBytes * rows)
    this.#accountOffsets = Int32Array.from({ length: rows + 1 }, (_, row) => accountBytes * row)
    this.#payloads = new Uint8Array(payload === 'json' ? payloadBytesMax * rows : 0)
    this.#payloadOffsets = new Int32Array(rows + 1)
  }

  add(event: number, sequence: number): void {
    const model = this.#model
    const row = this.length++
    const account = model.accountOf(event)
    const type = model.typeOf(event, sequence)
    const amount = model.amountOf(event, type)
    const recorded = model.recordedAt(event)
    setInt64(this.#words.event, row, event)
    setInt64(this.#words.recorded, row, recorded)
    setInt64(this.#words.occurred, row, model.occurredAt(event, recorded))
    setInt64(this.#words.sequence, row, sequence)
    this.#types[row] = type
    this.#branches[row] = model.branchOf(event, account)
    writeAccount(this.#accounts, accountBytes * row, account)
    if (this.#payload === 'json') this.#addPayload(row, amount, model.channelOf(event))
    else setInt64(this.#words.amount, row, amount)
  }

  /** In the order of `columnsOf`; good until rows are added again. */
  columns(): Column[] {
    const base = { length: this.length, nullCount: 0, validity: null }
    const integers = (values: BigInt64Array): Column => ({
      kind: 'int64',
      ...base,
      values: values.subarray(0, this.length),
    })
    const bytes = (data: Uint8Array, offsets: Int32Array): Column => ({ kind: 'bytes', ...base, data, offsets, gap: 0 })
    const codes = (values: Int32Array, dictionary: BytesColumn): Column => ({
      kind: 'dictionary',
      ...base,
      codes: values,
      dictionary,
    })
    return [
      integers(this.#numbers.event),
      bytes(this.#accounts, this.#accountOffsets),
      codes(this.#branches, this.#branchNames),
      codes(this.#types, this.#typeNames),
      this.#payload === 'json' ? bytes(this.#payloads, this.#payloadOffsets) : integers(this.#numbers.amount),
      integers(this.#numbers.occurred),
      integers(this.#numbers.recorded),
      integers(this.#numbers.sequence),
    ]
  }

  #addPayload(row: number, amount: number, channel: number): void {
    const data = this.#payloads
    let at = this.#payloadOffsets[row]!
    at = writeText(data, at, payloadParts[0]!)
    at = writeDigits(data, at, amount, digitsOf(amount))
    at = writeText(data, at, payloadParts[1]!)
    at = writeText(data, at, payloadChannels[channel]!)
    this.#payloadOffsets[row + 1] = writeText(data, at, payloadParts[2]!)
  }
}

/** `value` from 0 to 2^53 - 1, as two words, because a bigint for each row costs several times as much. */
function setInt64(words: Int32Array, row: number, value: number): void {
  words[2 * row] = value | 0
  words[2 * row + 1] = Math.floor(value / 2 ** 32)
}

/** "AC" and ten digits. */
function writeAccount(data: Uint8Array, at: number, account: number): void {
  data[at] = 0x41
  data[at + 1] = 0x43
  writeDigits(data, at + 2, account, accountBytes - 2)
}

function writeDigits(data: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value
  for (let index = at + digits - 1; index >= at; index--) {
    const tenth = Math.floor(rest / 10)
    data[index] = 0x30 + rest - 10 * tenth
    rest = tenth
  }
  return at + digits
}

function digitsOf(value: number): number {
  let digits = 1
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++
  return digits
}

function writeText(data: Uint8Array, at: number, text: Uint8Array): number {
  for (let index = 0; index < text.length; index++) data[at + index] = text[index]!
  return at + text.length
}

function bytesOf(texts: readonly string[]): BytesColumn {
  const parts = texts.map((text) => Buffer.from(text))
  const offsets = new Int32Array(texts.length + 1)
  for (const [index, part] of parts.entries()) offsets[index + 1] = offsets[index]! + part.length
  return {
    kind: 'bytes',
    length: texts.length,
    nullCount: 0,
    validity: null,
    offsets,
    data: Buffer.concat(parts),
    gap: 0,
  }
}
