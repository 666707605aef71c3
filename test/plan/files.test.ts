import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { InputError } from '../../src/model/errors.ts'
import { folderColumns, listFiles } from '../../src/plan/files.ts'
import { disk } from '../../src/storage/disk.ts'
import { scratch } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(() => {
  folder = scratch('list')
  home = folder.path
})
afterEach(() => folder.remove())

function touch(...names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    writeFileSync(join(home, name), '')
  }
}

/** The files of patterns below `home`, by their names there. */
function list(...patterns: readonly string[]): string[] {
  const absolute = patterns.map((pattern) => `${home}/${pattern}`)
  const found = listFiles('ledger', absolute, disk)
  const fromHere = absolute.map((pattern) => `${relative(process.cwd(), home)}${pattern.slice(home.length)}`)
  expect(listFiles('ledger', fromHere, disk).map((file) => join(process.cwd(), file))).toEqual(found)
  return found.map((file) => relative(home, file))
}

describe('a file that is named in several ways', () => {
  test('is listed once, by the first of its names', () => {
    touch('log/a.parquet', 'log/b.parquet')
    const absolute = join(home, 'log/a.parquet')
    const fromHere = relative(process.cwd(), absolute)
    expect(listFiles('ledger', [absolute, fromHere], disk)).toEqual([absolute])
    expect(listFiles('ledger', [fromHere, absolute, `./${fromHere}`], disk)).toEqual([fromHere])
    expect(listFiles('ledger', [`./${fromHere}`, absolute], disk)).toEqual([`./${fromHere}`])
    expect(list('log/b.parquet', 'log', 'log/*.parquet')).toEqual(['log/a.parquet', 'log/b.parquet'])
  })

  test('is listed once where links lead to it', () => {
    touch('log/a.parquet')
    symlinkSync('a.parquet', join(home, 'log/b.parquet'))
    symlinkSync('log', join(home, 'day=1'))
    expect(list('log')).toEqual(['log/a.parquet'])
    expect(list('log/b.parquet', 'log')).toEqual(['log/b.parquet'])
    expect(list('*/a.parquet')).toEqual(['day=1/a.parquet'])
  })

  test('is not there where a link leads nowhere', () => {
    touch('log/a.parquet')
    symlinkSync('none.parquet', join(home, 'log/b.parquet'))
    symlinkSync('none', join(home, 'log/c'))
    expect(list('log')).toEqual(['log/a.parquet'])
    expect(() => list('log/b.parquet')).toThrow('but there is no such file or folder')
  })
})

describe('names that hold what would be a pattern', () => {
  const names = ['br[1]', 'par(1)', 'cur{a,b}', 'q?', 's*', '!n', '+(p)', 'two words']

  test.each(names)('%s is found as a folder, a file and a part of a pattern', (name) => {
    touch(`${name}/a.parquet`, `${name}/deep/${name}.parquet`, 'br1/other.parquet', 'cura/other.parquet')
    const both = [`${name}/a.parquet`, `${name}/deep/${name}.parquet`]
    expect(list(name)).toEqual(both)
    expect(list(`${name}/`)).toEqual(both)
    expect(list(`${name}/deep/${name}.parquet`)).toEqual(both.slice(1))
    expect(list(`${name}/**/*.parquet`)).toEqual(both)
    expect(list(`${name}/*/*.parquet`)).toEqual(both.slice(1))
  })

  test('are patterns where nothing has that name', () => {
    touch('br1/a.parquet', 'br2/a.parquet', 'cur/b.parquet', 'x/y/c.parquet')
    expect(list('br[12]/a.parquet')).toEqual(['br1/a.parquet', 'br2/a.parquet'])
    expect(list('{br1,cur}/*.parquet')).toEqual(['br1/a.parquet', 'cur/b.parquet'])
    expect(list('{br2/a,x/y/c}.parquet')).toEqual(['br2/a.parquet', 'x/y/c.parquet'])
    expect(list('@(br1|cur)/*.parquet')).toEqual(['br1/a.parquet', 'cur/b.parquet'])
    expect(list('br1/../cur/*.parquet')).toEqual(['cur/b.parquet'])
  })

  test('may be escaped', () => {
    touch('br[1]/a.parquet', 'br1/a.parquet')
    expect(list('br\\[1\\]/*.parquet')).toEqual(['br[1]/a.parquet'])
    expect(list('*/a.parquet')).toEqual(['br1/a.parquet', 'br[1]/a.parquet'])
  })
})

test('names beginning with _ or . are skipped, but not in the fixed part of a pattern', () => {
  touch('_work/d/a.parquet', '_work/_tmp/b.parquet', '_work/d/_c.parquet', '.dot/d/.e.parquet', '.dot/f.parquet')
  expect(list('_work/d/*.parquet')).toEqual(['_work/d/a.parquet'])
  expect(list('_work')).toEqual(['_work/d/a.parquet'])
  expect(list('.dot/**/*.parquet')).toEqual(['.dot/f.parquet'])
  expect(list('_work/_tmp/*.parquet', '_work/d/_c.parquet')).toEqual(['_work/_tmp/b.parquet', '_work/d/_c.parquet'])
  expect(() => list('*/d/*.parquet')).toThrow(InputError)
})

test('what is not there is told by what was looked for', () => {
  mkdirSync(join(home, 'none[1]'))
  expect(() => list('none[1]')).toThrow('but the folder holds no *.parquet file')
  expect(() => list('none[2]/*.parquet')).toThrow('but no file matches it')
  expect(() => list('none/a.parquet')).toThrow('but there is no such file or folder')
})

test('the columns of folders are percent-decoded, names as values', () => {
  const columns = folderColumns('log/acct%3Aid=A%2F1/day=2021-05-22/100%=5%/x=1.parquet')
  expect([...columns]).toEqual([
    ['acct:id', 'A/1'],
    ['day', '2021-05-22'],
    ['100%', '5%'],
  ])
})
