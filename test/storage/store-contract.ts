import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { InputError, OutputError } from '../../src/model/errors.ts'
import type { Store } from '../../src/storage/store.ts'

/** A store with nothing below a folder of its own. */
export interface MadeStore {
  readonly store: Store
  readonly root: string
  /** Folders that files are written to; where there are none, nothing is to be made. */
  makeFolder(path: string): void
}

/** What holds for every store, whatever it is. */
export function storeContract(name: string, make: () => MadeStore): void {
  let store: Store
  let made: MadeStore
  const at = (path: string) => `${made.root}/${path}`
  const bytesOf = (text: string) => new TextEncoder().encode(text)

  function write(path: string, text: string): void {
    made.makeFolder(at(path).slice(0, at(path).lastIndexOf('/')))
    store.writeNew(at(path), [bytesOf(text)])
  }

  function expectNamed(work: () => unknown, kind: typeof InputError | typeof OutputError, path: string): void {
    let thrown: unknown
    try {
      work()
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(kind)
    expect((thrown as Error).message).toContain(path)
    expect((thrown as InputError).place.file).toBe(path)
  }

  describe(name, () => {
    beforeEach(() => {
      made = make()
      store = made.store
    })

    describe('list()', () => {
      test('gives what is directly below a folder, sorted by code unit', () => {
        for (const path of ['v/b', 'v/a', 'v/Z/deep/er', 'v/é', 'v/_x', 'vv/other', 'v.json']) write(path, path)
        const expected = [
          { name: 'Z', kind: 'folder' },
          { name: '_x', kind: 'file' },
          { name: 'a', kind: 'file' },
          { name: 'b', kind: 'file' },
          { name: 'é', kind: 'file' },
        ]
        expect(store.list(at('v'))).toEqual(expected)
        expect(store.list(at('v/'))).toEqual(expected)
        expect(store.list(at('v/Z')).map((entry) => entry.name)).toEqual(['deep'])
      })

      test('gives nothing of a folder that is not there', () => {
        write('v/a', '')
        expect(store.list(at('none'))).toEqual([])
        expect(store.list(at('v/none/deeper'))).toEqual([])
        expect(store.list(at('v/a'))).toEqual([])
        expect(store.list(at('v/a/b'))).toEqual([])
      })
    })

    test('stat() and exists() tell files and folders from what is not there', () => {
      const before = Date.now()
      write('v/a', 'four')
      const stat = store.stat(at('v/a'))!
      expect(stat).toMatchObject({ kind: 'file', bytes: 4 })
      for (const moment of [stat.writtenMs, stat.changedMs]) expect(Math.abs(moment - before)).toBeLessThan(60_000)
      expect(store.stat(at('v'))).toMatchObject({ kind: 'folder', bytes: 0 })
      expect(store.stat(at('v/'))).toMatchObject({ kind: 'folder', bytes: 0 })
      for (const path of ['w', 'v/', 'v/b', 'v/a/', 'v/a/c', `v/${'long'.repeat(100)}`]) {
        const isThere = path === 'v/'
        expect(store.exists(at(path))).toBe(isThere)
        expect(store.stat(at(path)) !== undefined).toBe(isThere)
      }
    })

    test('canonicalPath() is one for all paths of a file', () => {
      write('v/a', '')
      write('v/b', '')
      expect(store.canonicalPath(at('v/../v/./a'))).toBe(store.canonicalPath(at('v/a')))
      expect(store.canonicalPath(at('v/b'))).not.toBe(store.canonicalPath(at('v/a')))
      expectNamed(() => store.canonicalPath(at('v/c')), InputError, at('v/c'))
    })

    describe('openForReading()', () => {
      test('reads ranges, which are the caller’s own', () => {
        write('v/a', '0123456789')
        const file = store.openForReading(at('v/a'))
        expect([file.path, file.byteLength]).toEqual([at('v/a'), 10])
        const range = file.read(3, 4)
        expect(Buffer.from(range).toString()).toBe('3456')
        range.fill(0)
        expect(Buffer.from(file.read(0, 10)).toString()).toBe('0123456789')
        expect(file.read(10, 0)).toEqual(new Uint8Array(0))
        const target = new Uint8Array(2)
        file.readInto(8, target)
        expect(Buffer.from(target).toString()).toBe('89')
        file.close()
      })

      test('refuses ranges beyond the end, whatever their size', () => {
        write('v/a', '0123456789')
        const file = store.openForReading(at('v/a'))
        for (const [offset, length] of [
          [8, 3],
          [11, 0],
          [-1, 2],
          [0, 2 ** 52],
          [0, -1],
        ] as const) {
          expectNamed(() => file.read(offset, length), InputError, at('v/a'))
        }
        expectNamed(() => file.readInto(9, new Uint8Array(2)), InputError, at('v/a'))
        file.close()
      })

      test('reads no more when it was closed', () => {
        write('v/a', '0')
        const file = store.openForReading(at('v/a'))
        file.close()
        file.close()
        expect(() => file.read(0, 1)).toThrow('was closed before it was read')
      })

      test('refuses what is no file', () => {
        write('v/a', '0')
        for (const path of ['v', 'none', 'v/a/b']) {
          expectNamed(() => store.openForReading(at(path)), InputError, at(path))
        }
      })
    })

    test('readText() reads a whole file as UTF-8', () => {
      write('v/a', 'naïve 日本 🙂')
      expect(store.readText(at('v/a'))).toBe('naïve 日本 🙂')
      expectNamed(() => store.readText(at('v/none')), InputError, at('v/none'))
    })

    describe('writeNew()', () => {
      test('writes chunks one behind the other and returns their size and SHA-256', () => {
        made.makeFolder(at('v'))
        const chunks = ['one', '', 'two and three'].map(bytesOf)
        const sha256 = createHash('sha256').update('onetwo and three').digest('hex')
        expect(store.writeNew(at('v/a'), chunks)).toEqual({ bytes: 16, sha256 })
        expect(store.readText(at('v/a'))).toBe('onetwo and three')
        expect(store.writeNew(at('v/empty'), [])).toMatchObject({ bytes: 0 })
        expect(store.stat(at('v/empty'))).toMatchObject({ kind: 'file', bytes: 0 })
      })

      test('refuses a file that exists, and leaves it as it is', () => {
        write('v/a', 'first')
        expectNamed(() => store.writeNew(at('v/a'), [bytesOf('second')]), OutputError, at('v/a'))
        expect(store.readText(at('v/a'))).toBe('first')
      })
    })

    describe('putIfAbsent()', () => {
      test('creates a file once, and tells later writers that it is there', () => {
        made.makeFolder(at('v'))
        expect(store.putIfAbsent(at('v/a'), bytesOf('first'))).toBe(true)
        expect(store.putIfAbsent(at('v/a'), bytesOf('second'))).toBe(false)
        expect(store.readText(at('v/a'))).toBe('first')
        expect(store.putIfAbsent(at('v/empty'), new Uint8Array(0))).toBe(true)
        expect(store.putIfAbsent(at('v/empty'), bytesOf('second'))).toBe(false)
        expect(store.readText(at('v/empty'))).toBe('')
        expect(store.list(at('v')).map((entry) => entry.name)).toEqual(['a', 'empty'])
      })

      test('creates again what was removed', () => {
        write('v/a', 'first')
        store.remove(at('v/a'))
        expect(store.putIfAbsent(at('v/a'), bytesOf('second'))).toBe(true)
        expect(store.readText(at('v/a'))).toBe('second')
      })
    })

    test('remove() takes a file, or all below a folder, and nothing else', () => {
      for (const path of ['v/a', 'v/ab', 'v/c/d', 'v/c/e/f', 'v/cc']) write(path, path)
      store.remove(at('v/a'))
      store.remove(at('v/c'))
      store.remove(at('v/none'))
      store.remove(at('none/deeper'))
      expect(store.list(at('v')).map((entry) => entry.name)).toEqual(['ab', 'cc'])
      expect(store.exists(at('v/c/e/f'))).toBe(false)
      store.remove(at('v'))
      expect(store.exists(at('v'))).toBe(false)
    })
  })
}
