import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { orderNotes, scopeNote } from '../../src/cli/print-order.ts'
import { int64, string, timestamp } from '../../src/index.ts'
import type { SequenceSurvey, Survey } from '../../src/inspect/survey.ts'
import type { RebuildReport } from '../../src/model/report.ts'
import { writeRows } from '../support/logs.ts'
import { refold } from '../support/refold.ts'

const folder = mkdtempSync(join(tmpdir(), 'refold-order-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const jobText = (more: string) => `import { defineJob, defineLog, defineView, int64, string } from 'refold'
const log = defineLog({
  name: 'log',
  files: 'log/*.parquet',
  columns: { id: 'id', key: 'stream', type: 'type', recordedAt: 'at', sequence: 'version' },
  fields: { customer: string() },
  ${more}
})
const common = { log, state: { n: int64() }, on: { '*': (s, e) => { s.n = s.n * 2 + e.customer.length } } }
const customers = defineView({ name: 'customers', ...common, key: { customer: string() }, keyBy: (e) => ({ customer: e.customer }) })
const streams = defineView({ name: 'streams', ...common })
const sums = defineView({ name: 'sums', ...common, orderFree: true })
export default defineJob({ views: [customers, streams, sums] })
`

beforeAll(() => {
  mkdirSync(join(folder, 'log'))
  const columns = {
    id: string(),
    stream: string(),
    type: string(),
    at: timestamp('us'),
    version: int64(),
    customer: string(),
  }
  const event = (id: string, stream: string, at: number, version: number) =>
    ({ id, stream, type: 'Noted', at: at * 1_000_000, version, customer: 'c' }) as const
  writeRows(join(folder, 'log/a.parquet'), columns, [
    event('e1', 'A', 1, 2),
    event('e2', 'B', 1, 1),
    event('e3', 'A', 2, 1),
  ])
  writeFileSync(join(folder, 'job.ts'), jobText(''))
  writeFileSync(join(folder, 'declared.ts'), jobText("order: ['recordedAt', 'id'],"))
})

const noSurvey: Survey = {
  progress: null,
  ahead: null,
  ...{
    events: 0,
    types: [],
    occurredAt: null,
    recordedAt: null,
    outOfOrder: null,
    delay: null,
    sequence: null,
    duplicates: 0,
  },
}

const ties =
  `customers: nothing that its log declares orders 1 event in 1 key, so the events' own keys and ids decide: for example e2 after e1, of key "c". ` +
  `Declare what decides on the log: tieBreak: 'line_no', a field, or tieBreak: { types: ['Opened', 'Paid'] }; or, if ids are given ` +
  `in the order of events, end order with 'id'.`
const against =
  `customers: recordedAt, by which its events are ordered, contradicts the sequence of a stream for 1 event in 1 key: for example e3 ` +
  `comes after e1, of key "c". If the sequence counts through the whole log, declare sequenceScope: 'log'; if each key is of one ` +
  `stream, order: ['sequence'].`

describe('what nothing declared orders', () => {
  test('is said by rebuild on stderr, and counted in its report', () => {
    const { exitCode, stdout, stderr } = refold(['rebuild', 'job.ts', '--json', '--workers', '0'], { cwd: folder })
    expect(exitCode).toBe(0)
    expect(stderr).toBe(`${ties}\n${against}\n`)
    const { views } = JSON.parse(stdout) as RebuildReport
    const found = (events: readonly string[]) => ({ events: 1, keys: 1, example: { key: '"c"', events } })
    const none = { events: 0, keys: 0, example: null }
    expect(Object.fromEntries(views.map(({ view, order }) => [view, order]))).toEqual({
      customers: { ties: found(['e1', 'e2']), againstSequence: found(['e1', 'e3']) },
      streams: { ties: none, againstSequence: none },
      sums: null,
    })
  })

  test('is said by inspect', () => {
    const { exitCode, stdout } = refold(['inspect', 'job.ts'], { cwd: folder })
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`view       order of events
customers  1 by id alone, in 1 key; 1 against their sequence, in 1 key
streams    declared for all

${ties}

${against}
`)
    const json = JSON.parse(refold(['inspect', 'job.ts', '--json'], { cwd: folder }).stdout)
    expect(json[0].views[0]).toMatchObject({ view: 'customers', order: { ties: { events: 1 } }, problem: null })
  })

  test('includes a sequence that counts something else than it is declared to', () => {
    const inspected = (scope: 'stream' | 'log', sequence: SequenceSurvey | null) =>
      scopeNote({ log: 'log', zone: 'UTC', events: { ...noSurvey, sequence }, sequenceScope: scope, views: [] })
    const found = { scope: 'log', missing: 0, repeated: 0, streams: 2 } as const
    expect(inspected('stream', found)).toContain("declare sequenceScope: 'log'")
    expect(inspected('log', { ...found, scope: 'stream' })).toContain('its numbers are in several streams')
    expect(inspected('log', found)).toBeNull()
    expect(inspected('stream', { ...found, streams: 1 })).toBeNull()
    expect(inspected('stream', null)).toBeNull()
    writeFileSync(join(folder, 'wrong.ts'), jobText("sequenceScope: 'log',"))
    const { stdout } = refold(['inspect', 'wrong.ts'], { cwd: folder })
    expect(stdout).toContain(
      'log: its sequence is declared to count through the whole log, but its numbers are in several',
    )
  })

  test('is nothing where ids are declared to be in order', () => {
    const { stderr } = refold(['rebuild', 'declared.ts', '--json', '--out', 'declared'], { cwd: folder })
    expect(stderr).toBe('')
  })

  test('is nothing where all is declared', () => {
    const none = { events: 0, keys: 0, example: null }
    expect(orderNotes('v', { ties: none, againstSequence: none })).toEqual([])
  })
})
