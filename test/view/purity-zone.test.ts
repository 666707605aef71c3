import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { guarded, installGuards } from '../../src/view/purity.ts'
import { RuleError } from '../../src/view/rule-error.ts'
import { repositoryRoot } from '../support/refold.ts'

installGuards()
const date = new Date(Date.UTC(2021, 4, 22, 14))
const dates = Date.prototype as unknown as Record<string, (this: Date, ...parameters: unknown[]) => unknown>
const made = { implicit: new Intl.DateTimeFormat('en'), explicit: new Intl.DateTimeFormat('en', { timeZone: 'UTC' }) }
const collator = new Intl.Collator()

const zoned: Readonly<Record<string, () => unknown>> = {
  ...Object.fromEntries(
    ['Date', 'Day', 'FullYear', 'Hours', 'Milliseconds', 'Minutes', 'Month', 'Seconds', 'TimezoneOffset', 'Year'].map(
      (part) => [`get${part}()`, () => dates[`get${part}`]!.call(date)],
    ),
  ),
  ...Object.fromEntries(
    ['Date', 'FullYear', 'Hours', 'Milliseconds', 'Minutes', 'Month', 'Seconds', 'Year'].map((part) => [
      `set${part}()`,
      () => dates[`set${part}`]!.call(new Date(0), 1),
    ]),
  ),
  'toString()': () => date.toString(),
  'a template': () => `${date}`,
  'a sum of strings': () => `at ${String(date)}`,
  'toDateString()': () => date.toDateString(),
  'toTimeString()': () => date.toTimeString(),
  'toLocaleString() without a zone': () => date.toLocaleString('en'),
  'toLocaleDateString()': () => date.toLocaleDateString(),
  'toLocaleTimeString() without a zone': () => date.toLocaleTimeString('en', { hour: '2-digit' }),
  'new Date(y, m)': () => new Date(2021, 4),
  'new Date(y, m, d)': () => new Date(2021, 4, 22),
  'the constructor of a date': () => new (date.constructor as DateConstructor)(2021, 4),
  'new Date of a local time': () => new Date('2021-05-22T14:00:00'),
  'new Date of a day in words': () => new Date('May 22, 2021'),
  'new Date of digits': () => new Date('2021-5-2'),
  'new Date of a day after a space': () => new Date(' 2021-05-22'),
  'Date.parse of a local time': () => Date.parse('2021-05-22 14:00'),
  'Intl.DateTimeFormat without a zone': () => new Intl.DateTimeFormat('en'),
  'Intl.DateTimeFormat called': () => Intl.DateTimeFormat('en', {}),
  'a formatter made before': () => made.implicit.format(date),
  'parts of a formatter made before': () => made.implicit.formatToParts(date),
  'the zone of a formatter made before': () => made.implicit.resolvedOptions().timeZone,
  'the machine’s zone': () => Intl.DateTimeFormat().resolvedOptions().timeZone,
}

const localized: Readonly<Record<string, () => unknown>> = {
  localeCompare: () => 'a'.localeCompare('ä'),
  toLocaleUpperCase: () => 'i'.toLocaleUpperCase(),
  toLocaleLowerCase: () => 'I'.toLocaleLowerCase([]),
  'a number': () => (1.5).toLocaleString(),
  'a bigint': () => 1500n.toLocaleString(undefined),
  'an array': () => [1.5].toLocaleString(),
  'a typed array': () => Float64Array.of(1.5).toLocaleString(),
  'a date': () => date.toLocaleString(undefined, { timeZone: 'UTC' }),
  'Intl.Collator': () => new Intl.Collator(),
  'a collator made before': () => collator.compare('a', 'b'),
  'Intl.NumberFormat': () => new Intl.NumberFormat(undefined, { style: 'percent' }),
  'Intl.PluralRules': () => new Intl.PluralRules(),
  'Intl.ListFormat': () => new Intl.ListFormat(),
  'Intl.RelativeTimeFormat': () => new Intl.RelativeTimeFormat(),
  'Intl.Segmenter': () => new Intl.Segmenter(),
  'Intl.DateTimeFormat': () => new Intl.DateTimeFormat(undefined, { timeZone: 'UTC' }),
}

describe('what depends on the time zone of the machine is refused while a view runs', () => {
  test.each(Object.entries(zoned))('%s', (_, use) => {
    expect(() => guarded(use)).toThrow(RuleError)
    expect(() => guarded(use)).toThrow(/its result depends on the machine's (time zone|locale)/)
    expect(use).not.toThrow()
  })
})

describe('what depends on the locale of the machine is refused while a view runs', () => {
  test.each(Object.entries(localized))('%s', (_, use) => {
    expect(() => guarded(use)).toThrow(RuleError)
    expect(() => guarded(use)).toThrow("its result depends on the machine's locale; name one, as 'en'")
    expect(use).not.toThrow()
  })
})

test('the message says what to use', () => {
  expect(() => guarded(() => date.getHours())).toThrow(
    "Date.prototype.getHours() was called: its result depends on the machine's time zone; use getUTCHours()",
  )
})

test('what names its zone and locale gives the same as before', () => {
  const uses: readonly (() => unknown)[] = [
    () => date.getUTCHours(),
    () => new Date(0).setUTCHours(3),
    () => date.toISOString(),
    () => date.toUTCString(),
    () => date.toJSON(),
    () => JSON.stringify({ date }),
    () => date.getTime() + Number(date) + date.valueOf(),
    () => +date - +new Date(0),
    () => new Date('2021-05-22').getTime(),
    () => new Date('2021-05').getTime(),
    () => new Date('2021-05-22T14:00:00+08:00').getTime(),
    () => new Date('2021-05-22T14:00Z').getTime(),
    () => new Date('Sat, 22 May 2021 14:00:00 GMT').getTime(),
    () => Date.parse('2021-05-22 14:00:00-0500'),
    () => new Date(date).getTime(),
    () => date.toLocaleString('en', { timeZone: 'Asia/Taipei' }),
    () => new Intl.DateTimeFormat('en', { timeZone: 'UTC' }).format(date),
    () => made.explicit.format(date),
    () => 'a'.localeCompare('ä', 'de'),
    () => 'i'.toLocaleUpperCase('tr'),
    () => (1234.5).toLocaleString('de'),
    () => ['b', 'a', 'ä'].sort(new Intl.Collator('de').compare),
    () => [1.5, 2].toLocaleString('de'),
    () => new Intl.NumberFormat(new Intl.Locale('de')).format(1.5),
    () => 'i'.toUpperCase() + [1, 2].join() + (1.5).toString(),
  ]
  for (const use of uses) expect(guarded(use)).toEqual(use())
})

test('the guards change nothing on a machine in any other zone and locale', () => {
  const code = `
    import { guarded } from './src/view/purity.ts'
    guarded(() => {})
    const date = new Date(2021, 4, 22, 1)
    console.log(date.getHours(), date.getUTCDate(), new Intl.DateTimeFormat().resolvedOptions().timeZone, date.toISOString())`
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: repositoryRoot,
    env: { ...process.env, TZ: 'Asia/Kolkata' },
    encoding: 'utf8',
  })
  expect(ran.stdout.trim()).toBe('1 21 Asia/Calcutta 2021-05-21T19:30:00.000Z')
})
