import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/columns/exact-json.ts'
import { makeJsonScanner } from '../../src/scan/json-scanner.ts'

const names = ['amount', 'note', '']

/** What the scanner finds, absent names as null; undefined where it leaves the text to JSON.parse. */
function scanned(text: string | Uint8Array): unknown[] | undefined {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  // What stands around a text must not matter: it may even continue it.
  const data = Uint8Array.from([...Buffer.from('9"{'), ...bytes, ...Buffer.from('}"9,:')])
  const values = names.map((): unknown[] => [null])
  const settled = makeJsonScanner(names)!.scan(data, 3, 3 + bytes.length, values, 0)
  return settled ? values.map(([value]) => value) : undefined
}

/** The same by JSON.parse; undefined where it refuses the text. */
function parsed(text: string): unknown[] | undefined {
  try {
    const whole = parseJson(text, BigInt) as Record<string, unknown>
    return names.map((name) => (Object.hasOwn(whole, name) ? whole[name] : null))
  } catch {
    return undefined
  }
}

const plain = [
  '{}',
  ' { } ',
  '{"amount":0}',
  '{"amount":-0,"note":"-0"}',
  '{"amount":123456789012345}',
  '{"amount":-12.50,"note":"a b"}',
  '{"amount":1e3,"note":true}',
  '{ "other" : [1, {"amount": 2}, [], {}, "x"] ,\n\t"amount" : null , "note":false}\r\n',
  '{"amount":1,"amount":2}',
  '{"":"","note":"long enough to be made in another way","x":-0.5E-7}',
  '{"other":"Größe","amount":5}',
]

const leftToParse = [
  '{"amount":1234567890123456}',
  '{"amount":0.1000000000000000055511151231257827}',
  '{"note":"a\\nb"}',
  '{"a\\u006dount":1}',
  '{"note":"Größe"}',
  '{"amount":[1]}',
  '{"amount":{}}',
  '[1]',
  'null',
  '5',
]

const broken = [
  '',
  ' ',
  '{',
  '{"amount":1',
  '{"amount":01}',
  '{"amount":-}',
  '{"amount":1.}',
  '{"amount":1e}',
  '{"amount":+1}',
  '{"amount":.5}',
  '{"amount":1,}',
  '{,"amount":1}',
  '{"amount":1}}',
  '{"amount":1} x',
  '{"amount" 1}',
  '{amount:1}',
  '{"other":[1,]}',
  '{"other":{"a"}}',
  '{"other":nul}',
  '{"other":"a',
  '{"other":"a\tb"}',
  '\ufeff{}',
]

describe('a scanner of JSON', () => {
  it.each(plain)('takes %s, with the values that JSON.parse finds', (text) => {
    expect(scanned(text)).toEqual(parsed(text))
    expect(scanned(text)).toBeDefined()
  })

  it.each(leftToParse)('leaves %s to JSON.parse', (text) => {
    expect(scanned(text)).toBeUndefined()
  })

  it.each(broken)('never takes %j, which is no JSON', (text) => {
    expect(parsed(text)).toBeUndefined()
    expect(scanned(text)).toBeUndefined()
  })

  it('agrees with JSON.parse on whatever it takes of texts with bytes changed at random', () => {
    const samples = [...plain, ...leftToParse].map((text) => Buffer.from(text))
    let state = 1
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const alphabet = Buffer.from('{}[]",:\\ 019-+.eEtfn\n\u0001ä')
    let taken = 0
    for (let round = 0; round < 40_000; round++) {
      const bytes = [...samples[random(samples.length)]!]
      for (let change = random(3); change >= 0; change--) {
        bytes.splice(
          random(bytes.length + 1),
          random(3),
          ...(random(2) === 0 ? [] : [alphabet[random(alphabet.length)]!]),
        )
      }
      const found = scanned(Uint8Array.from(bytes))
      if (found === undefined) continue
      taken++
      expect(found, Buffer.from(bytes).toString()).toEqual(parsed(Buffer.from(bytes).toString()))
    }
    expect(taken).toBeGreaterThan(2_000)
  })

  it('is not made for names that JSON would write with escapes or beyond ASCII', () => {
    expect(makeJsonScanner(['Größe'])).toBeNull()
    expect(makeJsonScanner(['a"b'])).toBeNull()
  })
})
