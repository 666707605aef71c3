import { describe, expect, test } from 'vitest'
import { returnsOf } from '../../src/job/returns.ts'

const made = (text: string) => new Function(`return ${text}`)() as () => unknown

describe('returnsOf() finds that nothing meant is returned by', () => {
  test.each([
    '(s, e) => { s.sum += e.amount }',
    '(s, e) => s.sum += e.amount',
    '(s) => s.n++',
    '(s) => (s.n = 1, s.m++)',
    '(s, e) => e.ok && s.n++',
    '(s, e) => { e.ok || (s.n = 1) }',
    '(s, e) => e.ok ? s.n++ : undefined',
    '(s, e) => e.ok ? s.n++ : null',
    '(s) => void s.list.push(1)',
    '(s) => delete s.old',
    '(s, e) => { if (e.ok) return; s.n++ }',
    '(s, e) => { if (e.ok) return void 0; return s.n++ }',
    '(s, e) => { e.items.forEach((item) => { return item }); const f = function () { return {} }; class A { m() { return 1 } } }',
    'function (s, e) { s.sum += e.amount }',
  ])('%s', (text) => expect(returnsOf(made(text))).toBe('nothing'))
})

describe('returnsOf() finds a call in', () => {
  test.each([
    '(s, e) => s.items.push(e.item)',
    '(s, e) => s.items?.push(e.item)',
    '(s, e) => e.ok && s.items.push(e.item)',
    '(s, e) => { if (e.ok) return s.n++; return add(s, e) }',
    '(s, e) => add`text`',
  ])('%s', (text) => expect(returnsOf(made(text))).toBe('by-product'))
  test('what is not written in JavaScript', () => expect(returnsOf(Math.max as never)).toBe('by-product'))
})

describe('returnsOf() finds a value in', () => {
  test.each([
    '(s, e) => ({ ...s, sum: s.sum + e.amount })',
    '(s, e) => s.sum + e.amount',
    '(s, e) => s',
    '(s, e) => [s]',
    '(s, e) => e.ok ? s.n++ : s',
    '(s, e) => { switch (e.kind) { case 1: return { n: 1 }; default: s.n++ } }',
    '(s, e) => { try { s.n++ } finally { return s } }',
    'async (s, e) => { s.n++ }',
    '(s, e) => new Map()',
  ])('%s', (text) => expect(returnsOf(made(text))).toBe('value'))
})
