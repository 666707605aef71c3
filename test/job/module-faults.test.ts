import { describe, expect, test } from 'vitest'
import { moduleFaults } from '../../src/job/module-faults.ts'

const moduleWrites = (code: string) => moduleFaults(code).writes

const job = (on: string, module = '') =>
  `import { defineLog, defineView } from 'refold'\n${module}\nexport const view = defineView({ name: 'v', log, state: {}, on: { ${on} } })`

describe('moduleWrites() finds what outlives an event in', () => {
  test.each([
    ['A: (s, e) => { n++ }', 'let n = 0', 'it writes to n, a variable outside of it'],
    ['A: (s, e) => { n = e.a; s.x = n }', 'let n', 'it writes to n, a variable outside of it'],
    ['A: (s, e) => { ({ n } = e) }', 'let n', 'it writes to n, a variable outside of it'],
    ['A: (s, e) => { [s.a, n = 1] = e.pair }', 'let n', 'it writes to n, a variable outside of it'],
    ['A: (s, e) => { for (n of e.list) s.x++ }', 'let n', 'it writes to n, a variable outside of it'],
    ['A(s, e) { e.list.forEach((x) => { n += x }) }', 'let n = 0', 'it writes to n, a variable outside of it'],
    ['A: (s, e) => { s.x = (memo ??= make()) }', 'let memo', 'it writes to memo, a variable outside of it'],
    ['A: (s, e) => { cache[e.id] = 1 }', 'const cache = {}', 'it writes to a property of cache'],
    ['A: (s, e) => { delete cache.last }', 'const cache = {}', 'it writes to a property of cache'],
    [
      'A: (s, e) => { cache.set(e.id, 1) }',
      'const cache = new Map()',
      'it changes cache, which is outside of it, by set()',
    ],
    ['A: (s, e) => { const c = cache; c.set(e.id, 1) }', 'const cache = new Map()', 'it changes cache'],
    ['A: (s, e) => { const c = cache[e.id]; c.n++ }', 'const cache = {}', 'it writes to a property of cache'],
    ['A: (s, e) => { list.push(e.id) }', 'const list = []', 'it changes list, which is outside of it, by push()'],
    ['A: (s, e) => { counts.fill(e.n) }', 'const counts = new Int32Array(3)', 'it changes counts'],
    ['A: (s, e) => { Object.assign(last, e) }', 'const last = {}', 'it writes to last, which is outside of it'],
    ['A: (s, e) => { globalThis.last = e.id }', '', 'it writes to a property of globalThis'],
    ['A: (s, e) => { Object.prototype.x = 1 }', '', 'it writes to a property of Object'],
    ['A: (s, e) => { Counter.n++ }', 'class Counter { static n = 0 }', 'it writes to a property of Counter'],
    ['A: (s, e) => { help(s, e) }', 'let n = 0; function help(s, e) { n++ }', 'it writes to n'],
    ['A: (s, e) => { help(s) }', 'let n = 0; const help = () => inner(); function inner() { n++ }', 'it writes to n'],
    ['A: handle', 'let n = 0; const handle = (s, e) => { n++ }', 'it writes to n'],
    ['...handlers', 'let n = 0; const handlers = { A: (s, e) => { n++ } }', 'it writes to n'],
    ['A: make()', 'const make = () => { let n = 0; return (s, e) => { n++ } }', 'it writes to n'],
    ['A: one', 'const make = () => { let n = 0; return (s, e) => { n++ } }; const one = make()', 'it writes to n'],
    ['A: (() => { let n = 0; return (s, e) => { n++ } })()', '', 'it writes to n'],
    ['A: (s, e) => { if (re.test(e.x)) s.n++ }', 'const re = /a/g', 'it searches with re, which remembers'],
    [
      'A: (s, e) => { if (re.exec(e.x)) s.n++ }',
      "const re = new RegExp('a', 'y')",
      'it searches with re, which remembers',
    ],
    [
      'A: (s, e) => { s.n = ids.next().value }',
      'const ids = (function* () { yield 1 })()',
      'it takes the next value of ids',
    ],
  ])('%s after %s', (on, module, message) => {
    const found = moduleWrites(job(on, module))
    expect(found.map(({ what }) => what)).toEqual([expect.stringContaining(message)])
  })

  test.each([
    'let n = 0; export const log = defineLog({ upcast: { A: (e) => { n++; return null } } })',
    'let n = 0; export const view = defineView({ state: () => ({ id: n++ }) })',
    'let n = 0; export const view = defineView({ keyBy: (e) => ({ k: n++ }) })',
    'let n = 0; export const view = defineView({ row: (s) => ({ k: n++ }) })',
    'const make = (name) => { let n = 0; return defineView({ name, on: { A: (s) => { n++ } } }) }; export const a = make("a")',
  ])('%s', (module) => {
    const found = moduleWrites(`import { defineLog, defineView } from 'refold'\n${module}`)
    expect(found.map(({ what }) => what)).toEqual(['it writes to n, a variable outside of it'])
  })
})

describe('moduleWrites() finds nothing in', () => {
  test.each([
    ['A: (s, e) => { let n = 0; n++; s.x = n }', ''],
    ['A: (s, e) => { let sum = 0; e.items.forEach((x) => { sum += x }); s.x += sum }', 'let sum'],
    ['A: (s, e) => { s.x = rates[e.c]; s.y = table.get(e.k) }', 'const rates = { a: 1 }; const table = new Map()'],
    ['A: (s, e) => { const list = []; list.push(1); s.list.push(2); s.map.set(1, 2) }', 'const list = []'],
    [
      'A: (s, e) => { s.n = once(e) }',
      'let n = 0; export const unused = () => n++; const once = (e) => { let n = 1; return n *= 2 }',
    ],
    [
      'A: make(5)',
      'const make = (k) => { let n = 0; const at = {}; [1].forEach((x) => { at[x] = n++ }); return (s, e) => { s.x = at[e.k] * k } }',
    ],
    [
      'A: (s, e) => { if (/a/g.test(e.x) || re.test(e.x)) s.n++; s.t = e.x.replace(all, "") }',
      'const re = /a/; const all = /a/g',
    ],
    [
      'A: (s, e) => { const { a, ...rest } = e; for (const k in rest) s.n++; for (let i = 0; i < 3; i++) s.n += i }',
      'let k, i',
    ],
    [
      'A: (s, e) => { try { s.n++ } catch (error) { error.x = 1 } class X { static n = 0; m() { this.n = 1 } } X.n++ }',
      '',
    ],
    ['A: (s, e) => { var x; if (e.a) { var y = 1 } y = 2; x = 3; s.n = x + y }', 'let x, y'],
    [
      'A: function self(s, e) { const copy = { ...e }; copy.x = 1; const items = table.slice(); items.push(3) }',
      'const table = [1]',
    ],
    ['A: (s, e) => { api.set(3) }', 'const api = { set: (x) => x }'],
  ])('%s after %s', (on, module) => expect(moduleWrites(job(on, module))).toEqual([]))
})
