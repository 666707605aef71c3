import { tableFromIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { arrowStream } from '../../src/cli/arrow.ts'
import { csvField } from '../../src/cli/cells.ts'
import type { Column } from '../../src/model/column.ts'
import type { NamedColumn } from '../../src/read/named-column.ts'
import { columnSamples, whole } from '../support/column-samples.ts'

test('CSV loses nothing', () => {
  expect(['a,b', 'say "x"', '', null, 5n, [1]].map(csvField)).toEqual(['"a,b"', '"say ""x"""', '""', '', '5', '[1]'])
})

describe('arrowStream()', () => {
  test('carries every kind of column, batch after batch', () => {
    for (const [name, column, type, values] of columnSamples) {
      const batch: NamedColumn[] = [{ name: 'value', type, column }]
      const vector = tableFromIPC(Buffer.concat([...arrowStream([batch, batch])])).getChild('value')!
      expect(vector.length, name).toBe(2 * values.length)
      const present = Array.from(vector, (value) => value !== null)
      const expected = values.map((value) => value !== null)
      expect(present, name).toEqual([...expected, ...expected])
      if (type.kind === 'string' || type.kind === 'bool')
        expect(vector.toArray().slice(0, values.length), name).toEqual(values)
      if (type.kind === 'int') expect(vector.get(0), name).toBe(values[0])
    }
  })

  test('asks for a batch when the ones before are taken', () => {
    let made = 0
    function* batches(): Generator<NamedColumn[]> {
      for (; made < 1000; made++) {
        const column: Column = { kind: 'float64', length: 10_000, ...whole, values: new Float64Array(10_000) }
        yield [{ name: 'value', type: { kind: 'float', bits: 64 }, column }]
      }
    }
    const stream = arrowStream(batches())
    for (let chunk = 0; chunk < 10; chunk++) stream.next()
    expect(made).toBeLessThan(10)
  })
})
