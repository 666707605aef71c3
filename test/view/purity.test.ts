import { expect, test } from 'vitest'
import { guarded } from '../../src/view/purity.ts'
import { RuleError } from '../../src/view/rule-error.ts'

const impure: Readonly<Record<string, () => unknown>> = {
  'Date.now()': () => Date.now(),
  'new Date()': () => new Date(),
  'Date()': () => Date(),
  'Math.random()': () => Math.random(),
  'performance.now()': () => performance.now(),
  'process.hrtime()': () => process.hrtime(),
  'process.hrtime.bigint()': () => process.hrtime.bigint(),
  'process.env.HOME': () => process.env['HOME'],
  'process.env.PATH': () => 'PATH' in process.env,
  'process.env': () => Object.keys(process.env),
  'crypto.randomUUID()': () => crypto.randomUUID(),
  'crypto.getRandomValues()': () => crypto.getRandomValues(new Uint8Array(1)),
  'setTimeout()': () => setTimeout(() => {}, 0),
  'fetch()': () => fetch('http://localhost:1'),
}

test.each(Object.entries(impure))('%s is refused while a view runs', (call, use) => {
  expect(() => guarded(use)).toThrow(RuleError)
  expect(() => guarded(use)).toThrow(`${call} was called`)
})

test('the same calls work before and after', () => {
  guarded(() => {})
  for (const [call, use] of Object.entries(impure)) {
    if (call !== 'fetch()') expect(use).not.toThrow()
  }
})

test('a date made from a value is allowed, and is a Date', () => {
  const made = guarded(() => new Date('2021-05-22T00:00:00Z'))
  expect(made).toBeInstanceOf(Date)
  expect(made.toISOString()).toBe('2021-05-22T00:00:00.000Z')
  expect(guarded(() => Date.UTC(2021, 4, 22))).toBe(made.getTime())
})

test('what a view throws ends the guard too', () => {
  expect(() =>
    guarded(() => {
      throw new RangeError('of its own')
    }),
  ).toThrow(RangeError)
  expect(() => Date.now()).not.toThrow()
})

test('a guard within a guard ends with the outer one', () => {
  guarded(() => {
    guarded(() => {})
    expect(() => Math.random()).toThrow(RuleError)
  })
})
