import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fieldsRead } from '../../src/job/reads.ts'

// biome-ignore lint/suspicious/noExplicitAny: functions of any shape are the subject
type Any = any

/** Made from text, so that it is read as written and not as a test runner rewrote it. */
function made(text: string): (...parameters: never) => unknown {
  return new Function(`return ${text}`)() as (...parameters: never) => unknown
}

function method(text: string): (...parameters: never) => unknown {
  return (new Function(`return { ${text} }.on`) as () => Any)()
}

describe('fieldsRead() finds the names of', () => {
  test.each([
    ['(s, e) => { s.total += e.amount }', ['amount']],
    ['(s, e) => { s.a = e.x; s.b = e?.y; s.c = e["z"]; s.d = e.x }', ['x', 'y', 'z']],
    ['function (s, e) { return e.a + e.b.c.d + e.list[e.index] }', ['a', 'b', 'index', 'list']],
    ['function named(s, e) { return e.a }', ['a']],
    ['(s, e) => e.name.trim().length', ['name']],
    [
      '(s, { amount, kind: k, "odd name": o, nested: { deep }, when = 3 }) => amount + k + o + deep + when',
      ['amount', 'kind', 'nested', 'odd name', 'when'],
    ],
    ['(s, e) => { const { a, b: c } = e; let d; ({ d } = e); return a + c + d }', ['a', 'b', 'd']],
    ['(s, e) => [1, 2].map((n) => n * e.rate)', ['rate']],
    ['(s, e) => { const o = { e: 1, x: e.x, m() { return e.y } }; return o.e }', ['x', 'y']],
    ['(s, e) => { e: for (;;) { break e } }', []],
    ['(s, e) => { s.count++ }', []],
    ['(s) => { s.count++ }', []],
    ['() => 1', []],
    ['(s, e, key) => { if (key.path === e.oldPath) s.blob = null }', ['oldPath']],
    ['async (s, e) => await e.a', ['a']],
    ['function* (s, e) { yield e.a }', ['a']],
    ['(s, e) => typeof e.a === "string" && e.arguments + e.eval', ['a', 'arguments', 'eval']],
    ['(s, e) => new e.Maker(delete e.a)', ['Maker', 'a']],
    ['(s = {}, e) => e.a', ['a']],
    ['(s, e, ...rest) => e.a', ['a']],
    ['(s, e) => (0, e.b)(e.a)', ['a', 'b']],
  ])('%s', (text, names) => {
    const found = fieldsRead(made(text), 1)
    expect(found === 'all' ? found : [...found].sort()).toEqual(names)
  })

  test('methods, however they are written', () => {
    expect(fieldsRead(method('on(s, e) { return e.a }'), 1)).toEqual(new Set(['a']))
    expect(fieldsRead(method('async on(s, e) { return e.a }'), 1)).toEqual(new Set(['a']))
    expect(fieldsRead(method('*on(s, e) { yield e.a }'), 1)).toEqual(new Set(['a']))
    expect(fieldsRead(method('["o" + "n"](s, e) { return e.a }'), 1)).toEqual(new Set(['a']))
    expect(fieldsRead(method('on: (s, e) => e.a'), 1)).toEqual(new Set(['a']))
  })

  test('the first parameter, for by and filter', () => {
    expect(fieldsRead(made('(e) => ({ day: e.occurredAt, type: e.type })'), 0)).toEqual(new Set(['occurredAt', 'type']))
  })
})

describe('fieldsRead() answers all for', () => {
  test.each([
    '(s, e) => { s.last = e }',
    '(s, e) => { helper(e) }',
    '(s, e) => e[s.name]',
    '(s, e) => e[`name`]',
    '(s, e) => { const { a, ...rest } = e }',
    '(s, e) => { const { [s.name]: a } = e }',
    '(s, { a, ...rest }) => rest',
    '(s, { [s.name]: a }) => a',
    '(s, e = {}) => e.a',
    '(s, [a]) => a',
    '(s, ...e) => e[0].a',
    '(...s) => s[1].a',
    'function (s, e) { return arguments[1].b }',
    'function (s) { return arguments[1].b }',
    'function (s) { return (() => arguments[1].b)() }',
    '(s, e) => eval("e.a")',
    '(s, e) => { const f = (e) => e.b; return f({ b: 1 }) + e.a }',
    '(s, e) => { try { s.a() } catch (e) { s.b = e.message } }',
    '(s, e) => { { const e = s; e.a = 1 } }',
    '(s, e) => { { class e {} } }',
    '(s, e) => ({ e })',
    '(s, e) => ({ ...e })',
    '(s, e) => { for (const k in e) s[k] = 1 }',
    '(s, e) => { e = s; return e.a }',
    '(s, e) => e.toString()',
    '(s, e) => e.hasOwnProperty("a")',
    '(s, e) => e?.toString?.()',
    '(s, e) => e.tag`x`',
    '(s, e) => e ?? 1',
    '(s, e) => "a" in e',
    '(s, e) => ({ a: s.a } = e)',
    '(s, e) => { const { a = e } = e }',
    '(s, e, t = e) => t.a',
    'function (s, e) { with (e) { return a } }',
    'function e(s, e) { return e.a }',
    'class { constructor(s, e) { e.a } }',
  ])('%s', (text) => {
    expect(fieldsRead(made(text), 1)).toBe('all')
  })

  test('functions whose text is not theirs', () => {
    const plain = made('(s, e) => e.a')
    expect(fieldsRead(plain.bind(null), 1)).toBe('all')
    expect(fieldsRead(Math.max, 1)).toBe('all')
    const accessor = Object.getOwnPropertyDescriptor((made('() => ({ get on() { return 1 } })') as Any)(), 'on')!
      .get as Any
    expect(fieldsRead(accessor, 0)).toBe('all')
    const lying = Object.assign(made('(s, e) => e.a'), { toString: () => '(s, e) => {' })
    expect(fieldsRead(lying, 1)).toBe('all')
  })
})

/** Random function bodies that are run on an event which notes what is read of it. */
const names = fc.constantFrom('a', 'b', 'c', 'type')
const expression: fc.Arbitrary<string> = fc.letrec<{ e: string }>((tie) => ({
  e: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant('1'),
    names.map((name) => `e.${name}`),
    names.map((name) => `e?.${name}`),
    names.map((name) => `e['${name}']`),
    names.map((name) => `e[${JSON.stringify(name)} + '']`),
    fc.constant('s'),
    fc.constant('e'),
    fc.constant('({ e })'),
    fc.constant('({ ...e })'),
    fc.constant('Object.keys(arguments.length ? {} : {})'),
    names.map((name) => `(({ ${name} }) => ${name})(e)`),
    names.map((name) => `(() => { const { ${name}: x } = e; return x })()`),
    names.map((name) => `(() => { let { ...x } = e; return x.${name} })()`),
    names.map((name) => `((e) => e.${name})({ ${name}: 1 })`),
    fc.tuple(tie('e'), tie('e')).map(([x, y]) => `[${x}, ${y}]`),
    fc.tuple(tie('e'), tie('e')).map(([x, y]) => `(${x}, ${y})`),
    fc.tuple(tie('e'), names).map(([x, name]) => `(() => ${x})()?.${name}`),
    fc.tuple(tie('e'), names).map(([x, name]) => `((x) => x?.${name})(${x})`),
  ),
})).e

test('a function never reads a name that fieldsRead() did not foresee', () => {
  const shapes = fc.oneof(
    expression.map((text) => `function (s, e) { return ${text} }`),
    expression.map((text) => `function (s, e) { return (() => ${text})() }`),
    fc.tuple(names, expression).map(([name, text]) => `function (s, { ${name}: e }) { return ${text} }`),
  )
  fc.assert(
    fc.property(shapes, (text) => {
      const fn = made(text) as (s: object, e: object) => unknown
      const read = new Set<string>()
      const target = { a: { a: 1 }, b: { b: 2 }, c: 'c', type: 'T' }
      const event = new Proxy(target, {
        get: (object, name) => {
          if (typeof name === 'string') read.add(name)
          return (object as Any)[name]
        },
      })
      fn({}, event)
      const foreseen = fieldsRead(fn, 1)
      if (foreseen === 'all') return
      for (const name of read) expect(foreseen, `${name} in ${text}`).toContain(name)
    }),
    { numRuns: 2000 },
  )
})
