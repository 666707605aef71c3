import { expect, test } from 'vitest'
import { displayWidth, renderTable, truncate } from '../../src/cli/table.ts'

test('renderTable() aligns text left and numbers right', () => {
  const columns = [{ header: 'view' }, { header: 'rows', align: 'right' as const }]
  const rows = [
    ['balances', '1,000'],
    ['daily', '7'],
  ]
  expect(renderTable(columns, rows)).toBe('view       rows\nbalances  1,000\ndaily         7\n')
})

test('renderTable() aligns characters that are two cells wide', () => {
  const rows = [
    ['校正回歸', 'x'],
    ['abc', 'y'],
  ]
  const lines = renderTable([{ header: 'name' }, { header: 'v' }], rows)
    .trimEnd()
    .split('\n')
  expect(lines).toEqual(['name      v', '校正回歸  x', 'abc       y'])
  expect(lines.map((line) => displayWidth(line))).toEqual([11, 11, 11])
})

test('renderTable() cuts the widest columns down to the width, and leaves narrow ones whole', () => {
  const rows = [['id-1', 'a'.repeat(50), 'b'.repeat(30)]]
  const columns = ['id', 'long', 'longer'].map((header) => ({ header }))
  const lines = renderTable(columns, rows, 40).trimEnd().split('\n')
  expect(lines[1]).toBe(`id-1  ${'a'.repeat(15)}…  ${'b'.repeat(15)}…`)
  expect(renderTable(columns, rows)).toContain('a'.repeat(50))
})

test('renderTable() shows control characters instead of obeying them', () => {
  expect(renderTable([{ header: 'note' }], [['one\ntwo\u001b[2J']])).toBe('note\none\\ntwo\\x1b[2J\n')
})

test('displayWidth() counts cells of a terminal', () => {
  expect(['', 'abc', 'é', 'e\u0301', '日本', 'ｆｕｌｌ', '한글', '🚚', '👩‍💻', 'ﬀ'].map(displayWidth)).toEqual([
    0, 3, 1, 1, 4, 8, 4, 2, 2, 1,
  ])
})

test('truncate() never exceeds the width, also where the cut falls into a wide character', () => {
  expect(truncate('日本語', 6)).toBe('日本語')
  expect(truncate('日本語', 5)).toBe('日本…')
  expect(truncate('日本語', 4)).toBe('日… ')
  expect(displayWidth(truncate('日本語', 4))).toBe(4)
})

test('renderTable() escapes control characters and leaves other text alone', () => {
  expect(renderTable([{ header: 'h' }], [['a\tb é 日']])).toBe('h\na\\tb é 日\n')
})
