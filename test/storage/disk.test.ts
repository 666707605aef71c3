import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { disk } from '../../src/storage/disk.ts'
import { scratch } from '../support/logs.ts'

test('a file that was closed is not read, though its number may be another file’s by then', () => {
  const folder = scratch('disk')
  writeFileSync(join(folder.path, 'a'), 'first')
  writeFileSync(join(folder.path, 'b'), 'other')
  const first = disk.openForReading(join(folder.path, 'a'))
  first.close()
  const other = disk.openForReading(join(folder.path, 'b'))
  expect(() => first.read(0, 5)).toThrow('was closed before it was read')
  expect(() => first.readInto(0, new Uint8Array(5))).toThrow('was closed before it was read')
  first.close()
  expect(Buffer.from(other.read(0, 5)).toString()).toBe('other')
  other.close()
  folder.remove()
})
