import { PassThrough } from 'node:stream'
import { tableFromIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { Output } from '../../src/cli/output.ts'
import { printRows, type RowFormat } from '../../src/cli/rows.ts'
import type { NamedColumn } from '../../src/read/named-column.ts'

function batch(...rows: readonly (readonly [name: string, total: number | null])[]): NamedColumn[] {
  const texts = rows.map(([name]) => Buffer.from(name))
  const offsets = Int32Array.from([0, ...texts.map((_, row) => Buffer.concat(texts.slice(0, row + 1)).length)])
  const validity = new Uint8Array(1)
  for (const [row, [, total]] of rows.entries()) if (total !== null) validity[0]! |= 1 << row
  const nullCount = rows.filter(([, total]) => total === null).length
  const length = rows.length
  return [
    {
      name: 'name',
      type: { kind: 'string' },
      column: { kind: 'bytes', length, nullCount: 0, validity: null, offsets, data: Buffer.concat(texts), gap: 0 },
    },
    {
      name: 'total, net',
      type: { kind: 'int', bits: 32, signed: true },
      column: { kind: 'int32', length, nullCount, validity, values: Int32Array.from(rows, ([, total]) => total ?? 0) },
    },
  ]
}

async function print(format: RowFormat, limit: number): Promise<{ stdout: Buffer; stderr: string; asked: number }> {
  const all = [batch(['a', 1], ['b "x"', null]), batch(['c', 30], ['d', null]), batch(['e', 5])]
  let asked = 0
  function* batches(): Generator<NamedColumn[]> {
    for (const one of all) {
      asked++
      yield one
    }
  }
  const written: [Buffer[], Buffer[]] = [[], []]
  const [stdout, stderr] = written.map((chunks) => new PassThrough().on('data', (chunk: Buffer) => chunks.push(chunk)))
  const output = new Output(stdout as never, stderr as never)
  await printRows({ total: 5, batches: batches() }, format, limit, output)
  await output.flush()
  return { stdout: Buffer.concat(written[0]), stderr: Buffer.concat(written[1]).toString(), asked }
}

describe('printRows()', () => {
  test('prints a table and says how many rows there are beyond it', async () => {
    const { stdout, stderr, asked } = await print('table', 3)
    expect(stdout.toString()).toBe('name   total, net\na               1\nb "x"\nc              30\n')
    expect(stderr).toBe('2 more rows; --limit 5 shows all.\n')
    expect(asked).toBe(2)
    expect((await print('table', 5)).stderr).toBe('')
  })

  test('prints one JSON object a line', async () => {
    const { stdout } = await print('ndjson', 2)
    expect(stdout.toString()).toBe('{"name":"a","total, net":1}\n{"name":"b \\"x\\"","total, net":null}\n')
  })

  test('prints CSV as RFC 4180 has it', async () => {
    const { stdout } = await print('csv', Number.POSITIVE_INFINITY)
    expect(stdout.toString()).toBe('name,"total, net"\r\na,1\r\n"b ""x""",\r\nc,30\r\nd,\r\ne,5\r\n')
  })

  test.each([0, 1, 2, 3, 5])('prints an Arrow stream of %d rows, with their nulls', async (limit) => {
    const { stdout } = await print('arrow', limit)
    const table = tableFromIPC(stdout)
    expect(table.schema.fields.map(({ name }) => name)).toEqual(['name', 'total, net'])
    const rows = table.toArray().map((row) => [row.name, row['total, net']])
    expect(rows).toEqual(
      [
        ['a', 1],
        ['b "x"', null],
        ['c', 30],
        ['d', null],
        ['e', 5],
      ].slice(0, limit),
    )
  })
})
