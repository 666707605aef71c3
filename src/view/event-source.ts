import { isBigInt, isWide, ONLY_TYPE, type Slot } from '../model/slots.ts'
import { type PackedSlot, type RowLayout, rowSource } from './row-layout.ts'

/**
 * Writes the source of the flyweight that a handler's `e` is. Two kinds: over packed rows, and over the columns of a
 * batch. Both close over `p`, the row's place; no object is made for an event.
 *
 * Getters are in a class. Where an event may be copied whole (`own`), they are the object's own, so that `{ ...e }` and
 * JSON have its fields; the engine takes three times as long for those. In both cases an event can't be written to: what one handler
 * wrote would be seen at the next event.
 */

/** What an event is to functions. */
export interface EventShape {
  /** Slots of the layout that functions see; null for all. */
  readonly visible: readonly number[] | null
  /** Names that the log has and that no function of the view reads. */
  readonly absentNames: readonly string[]
}

/** The source of a getter's body that ends in an expression for a 64-bit slot, from its low and high word. */
function wide(slot: Slot, low: string, high: string): string {
  if (slot.type.kind === 'uint64') return `return runtime.unsigned(${low}, ${high});`
  if (isBigInt(slot.type)) return `return runtime.big(${low}, ${high});`
  const { kind, unit = 'us' } = slot.type
  const name = JSON.stringify(slot.name)
  // As few parameters as can be: the engine inlines what is short.
  const far = kind === 'timestamp' ? (unit === 'ms' ? 'farMilliseconds' : 'farMicroseconds') : 'unsafe'
  // −2^53 has the same high word as its safe neighbours; `unsafe` lets those pass.
  return `const high = ${high}; if (high <= -2097152 || high > 2097151) return runtime.${far}(${name}, ${low}, high); return high * 4294967296 + (${low} >>> 0);`
}

function flyweight(getters: readonly string[], own: boolean, name: string): string {
  if (own) return `const ${name} = runtime.flyweight(Object.freeze({\n${getters.join(',\n')}\n}));`
  const type = `E${name.slice(1)}`
  return `class ${type} {\n${getters.join('\n')}\n}\nconst ${name} = runtime.flyweight(Object.preventExtensions(new ${type}()));`
}

function onNull(slot: Slot): string {
  return slot.type.nullable ? 'return null;' : `return runtime.nullField(${JSON.stringify(slot.name)});`
}

/** How a document is given to functions: an event's is frozen, one that was a state's is theirs. */
export type Documents = 'frozen' | 'own'

function textual(slot: Slot, text: string, documents: Documents): string {
  if (isWide(slot.type)) return `return BigInt(${text});`
  if (slot.type.kind !== 'json') return `return ${text};`
  return `return runtime.${documents === 'own' ? 'parse' : 'parseFrozen'}(${JSON.stringify(slot.name)}, ${text});`
}

/** Names a log has but that no function of the view was found to read: reading one all the same is an error. */
function absent(names: readonly string[], slots: readonly Slot[]): string[] {
  const typed = names.includes('type') || slots.some((slot) => slot.name === 'type')
  const onlyType = typed ? [] : [`get type() { return ${JSON.stringify(ONLY_TYPE)}; }`]
  const notRead = (name: string) => `get ${JSON.stringify(name)}() { return runtime.notRead(${JSON.stringify(name)}); }`
  return [...onlyType, ...names.map(notRead)]
}

/**
 * Closes over `w` (words of a bucket), `bytes` (a Buffer over the same memory) and, for each string slot, `d<index>`
 * (the strings its codes stand for).
 *
 * @param name The flyweight's variable.
 */
export function packedEventSource(
  layout: RowLayout,
  { visible, absentNames }: EventShape,
  own: boolean,
  documents: Documents,
  name: string,
): string {
  const shown = visible ?? [...layout.slots.keys()]
  const getters = shown.map((index) => {
    const slot = layout.slots[index]!
    const nullCheck = slot.nullBit < 0 ? '' : `if (${nullTest(slot)}) ${onNull(slot)} `
    return `get ${JSON.stringify(slot.name)}() { ${nullCheck}${packedRead(layout, slot, index, documents)} }`
  })
  const slots = shown.map((index) => layout.slots[index]!)
  return flyweight([...getters, ...absent(absentNames, slots)], own, name)
}

function nullTest(slot: PackedSlot): string {
  return `(${rowSource.nullWord('w', 'p', slot.nullBit >> 5)} & ${1 << (slot.nullBit & 31)}) !== 0`
}

function packedRead(layout: RowLayout, slot: PackedSlot, index: number, documents: Documents): string {
  const word = `w[p + ${slot.word}]`
  switch (slot.storage) {
    case 'i32':
      return `return ${word};`
    case 'bool':
      return `return ${word} !== 0;`
    case 'i64':
      return wide(slot, word, `w[p + ${slot.word + 1}]`)
    case 'f64':
      return `return runtime.float(${word}, w[p + ${slot.word + 1}]);`
    case 'str':
      return `const code = ${word}; if (code >= 0) { ${textual(slot, `d${index}[code]`, documents)} } const start = ${stringStart(layout, index)}; ${textual(slot, 'runtime.text(bytes, start, start - 1 - code)', documents)}`
  }
}

/** The source of the byte at which the uncoded string of slot `index` begins in the row at `row`. */
export function stringStart(layout: RowLayout, index: number, row = 'p'): string {
  const before = layout.slots
    .slice(0, index)
    .filter((slot) => slot.storage === 'str')
    .map((slot) => ` + (w[${row} + ${slot.word}] < 0 ? -1 - w[${row} + ${slot.word}] : 0)`)
  return `(${row} + ${layout.fixedWords} + ((${rowSource.keyLength('w', row)} + 3) >> 2)) * 4${before.join('')}`
}

/** Closes over, for each slot, `c<index>`: a bound column as `bindColumns` makes it. */
export function columnEventSource(slots: readonly Slot[], absentNames: readonly string[], own: boolean): string {
  const getters = slots.map((slot, index) => {
    const nullCheck = slot.mayBeNull
      ? `if (v${index} !== null && (v${index}[p >> 3] & (1 << (p & 7))) === 0) ${onNull(slot)} `
      : ''
    return `get ${JSON.stringify(slot.name)}() { ${nullCheck}${columnRead(slot, index)} }`
  })
  return flyweight([...getters, ...absent(absentNames, slots)], own, 'event')
}

function columnRead(slot: Slot, index: number): string {
  const column = `c${index}`
  switch (slot.storage) {
    case 'i32':
    case 'f64':
      return `return ${column}[p];`
    case 'bool':
      return `return (${column}[p >> 3] & (1 << (p & 7))) !== 0;`
    case 'i64':
      return wide(slot, `${column}[2 * p]`, `${column}[2 * p + 1]`)
    case 'str':
      return `if (d${index} !== null) { ${textual(slot, `d${index}[${column}[p]]`, 'frozen')} } ${textual(slot, `runtime.text(b${index}, ${column}[p], ${column}[p + 1] - g${index})`, 'frozen')}`
  }
}
