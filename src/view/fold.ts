import { bufferOf, stringsOf } from '../columns/strings.ts'
import type { Column } from '../model/column.ts'
import type { MayReturn } from '../model/plan.ts'
import type { Slot } from '../model/slots.ts'
import type { Fields } from '../model/type.ts'
import { columnEventSource, type Documents, type EventShape, packedEventSource } from './event-source.ts'
import { frozenState } from './frozen.ts'
import { type RowLayout, rowSource } from './row-layout.ts'
import { runtime } from './runtime.ts'
import { finalStateSource, type StateStore, stateSource } from './state.ts'

/** A handler, without its types. */
export type AnyHandler = (state: unknown, event: unknown, key: unknown) => unknown

/**
 * A view's fold as generated code: one loop that moves two flyweights and calls the handler of each event's type. The
 * code is generated so that a handler's `account.balance += e.amount` becomes reads and writes of typed arrays, with
 * nothing looked up by name and no object made.
 */
export interface Fold {
  /** The arrays of a prepared store, or the objects of free-form states. */
  bindState(states: StateStore | readonly unknown[]): void
  /**
   * Folds rows `from … to`, in this order.
   *
   * @param rowAt Place of each row: its first word, or its number in the batch.
   * @param slotOf The key's slot of each row.
   * @param handlerOf By type code: which handler; 255 for none.
   * @param keyOf The key object of a slot, for handlers that take one.
   */
  run(
    rowAt: Int32Array,
    slotOf: Int32Array,
    from: number,
    to: number,
    handlerOf: Uint8Array,
    keyOf: (slot: number) => unknown,
  ): void
  /** The index that `run` had reached when a handler threw. */
  at(): number
}

export interface PackedFold extends Fold {
  /** The event whose row begins at a word: the flyweight, valid until it is moved. @param shape Which of `FoldSpec.events` it has. */
  eventAt(word: number, shape?: number): unknown
  bindRows(words: Int32Array, strings: readonly (readonly string[])[]): void
}

export interface ColumnFold extends Fold {
  bindColumns(columns: readonly (Column | undefined)[], typeCodes: Uint16Array): void
}

export const NO_HANDLER = 255

/**
 * Rows for which a generated loop is called at a time: the engine optimizes a function that is called often sooner, and
 * once, than one that loops long. It compiles a running loop separately from the function, without what follows the loop.
 */
export const SLICE_ROWS = 2048

export interface FoldSpec {
  /** Undefined for free-form states. */
  readonly state: Fields | undefined
  readonly handlers: readonly AnyHandler[]
  /** Of each handler: whether what it returns must be looked at. */
  readonly returns: readonly MayReturn[]
  /** What every free-form state has from the start. */
  readonly stateNames: readonly string[]
  /** What an event is to handlers: one shape a log. */
  readonly events: readonly EventShape[]
  /** By handler: which of those it is given. */
  readonly eventOf: readonly number[]
  readonly copiesEvents: boolean
  readonly documents: Documents
}

export function compilePackedFold(spec: FoldSpec, layout: RowLayout): PackedFold {
  const strings = layout.slots.map((_, index) => index)
  const source = `'use strict';
let w, bytes, ${variables('d', strings)};
${spec.events.map((shape, index) => packedEventSource(layout, shape, spec.copiesEvents, spec.documents, eventName(index))).join('\n')}
${foldSource(spec, `handlerOf[${rowSource.typeCode('w', 'p')}]`)}
const events = [${spec.events.map((_, index) => eventName(index)).join(', ')}];
fold.eventAt = (word, shape = 0) => { p = word; return events[shape]; };
fold.bindRows = (words, strings) => { w = words; bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength); ${strings.map((i) => `d${i} = strings[${i}];`).join(' ')} };
return fold;`
  return new Function('runtime', 'handlers', source)(runtime, spec.handlers) as PackedFold
}

export function compileColumnFold(spec: FoldSpec, slots: readonly Slot[]): ColumnFold {
  const source = `'use strict';
let codes;
${columnVariables(slots)}
${columnEventSource(slots, spec.events[0]!.absentNames, spec.copiesEvents)}
${foldSource(spec, 'handlerOf[codes[p]]')}
fold.bindColumns = (columns, typeCodes) => { codes = typeCodes; ${bindSource(slots)} };
return fold;`
  return new Function('runtime', 'handlers', 'boundColumn', source)(runtime, spec.handlers, boundColumn) as ColumnFold
}

/** The variable of a shape's flyweight. */
function eventName(shape: number): string {
  return shape === 0 ? 'event' : `event${shape}`
}

/** The flyweight of an event alone, for `keyBy`, `filter` and upcasters. */
export interface EventCursor {
  readonly event: unknown
  seek(row: number): void
  bindColumns(columns: readonly (Column | undefined)[]): void
}

export function compileEventCursor(slots: readonly Slot[], absentNames: readonly string[]): EventCursor {
  const source = `'use strict';
let p = 0;
${columnVariables(slots)}
${columnEventSource(slots, absentNames, true)}
return { event, seek(row) { p = row; }, bindColumns(columns) { ${bindSource(slots)} } };`
  return new Function('runtime', 'boundColumn', source)(runtime, boundColumn) as EventCursor
}

export interface BoundSlots {
  bindColumns(columns: readonly (Column | undefined)[]): void
}

/**
 * Compiles a function body that moves an event's flyweight itself: `p` is the row, `event` the flyweight, `bindColumns`
 * binds it; what the body returns is returned.
 *
 * @param tools What the body may use, by name.
 */
export function compileWithEvent(
  slots: readonly Slot[],
  absentNames: readonly string[],
  copiesEvents: boolean,
  body: string,
  tools: Readonly<Record<string, unknown>>,
): unknown {
  const source = `'use strict';
let p = 0;
${columnVariables(slots)}
${columnEventSource(slots, absentNames, copiesEvents)}
const bindColumns = (columns) => { ${bindSource(slots)} };
${body}`
  return new Function('runtime', 'boundColumn', ...Object.keys(tools), source)(
    runtime,
    boundColumn,
    ...Object.values(tools),
  )
}

/** The flyweight of a state alone, for `row`, which can't write to it. */
export interface StateCursor {
  readonly state: unknown
  seek(slot: number): void
  bindState(states: StateStore | readonly unknown[]): void
}

/** @param isFinal Whether nothing is folded into the states any more: the objects in them are frozen then. */
export function compileStateCursor(state: Fields | undefined, isFinal: boolean): StateCursor {
  if (state === undefined) return freeFormCursor(isFinal)
  const source = `'use strict';
let slot = 0;
${stateVariables(state)}
${finalStateSource(state, isFinal)}
return { state, seek(to) { slot = to; }, bindState(states) { ${bindStateSource(state)} } };`
  return new Function('runtime', source)(runtime) as StateCursor
}

function freeFormCursor(isFinal: boolean): StateCursor {
  let objects: readonly unknown[] = []
  let slot = 0
  return {
    get state() {
      return isFinal ? frozenState(objects[slot]) : objects[slot]
    },
    seek: (to) => {
      slot = to
    },
    bindState: (states) => {
      objects = states as readonly unknown[]
    },
  }
}

/** Whether a handler may look at its third parameter; one with a default value doesn't count in `length`. */
function takesKey(handler: AnyHandler): boolean {
  const source = String(handler)
  const arrow = source.indexOf('=>')
  const head = arrow < 0 ? source : source.slice(0, arrow)
  return handler.length > 2 || head.includes('=') || /\barguments\b|\.\.\./.test(source)
}

function foldSource(spec: FoldSpec, handlerCode: string): string {
  const { state, handlers } = spec
  const { declared, result } = dispatchSource(handlers.map((_, index) => callSource(spec, index)))
  return `let p = 0, slot = 0, at = 0, objects, keyOf;
${state === undefined ? '' : `${stateVariables(state)}\n${stateSource(state)}`}
${handlers.map((_, index) => `const h${index} = handlers[${index}];`).join(' ')}
${resultSource(spec)}
${declared}
const fold = {
  at() { return at; },
  bindState(states) { ${state === undefined ? 'objects = states;' : bindStateSource(state)} },
  run(rowAt, slotOf, from, to, handlerOf, keys) {
    keyOf = keys;
    for (let start = from; start < to; start += ${SLICE_ROWS}) {
      runSlice(rowAt, slotOf, start, Math.min(to, start + ${SLICE_ROWS}), handlerOf);
    }
    keyOf = undefined;
  },
};
function runSlice(rowAt, slotOf, from, to, handlerOf) {
  for (let i = from; i < to; i++) {
    at = i; p = rowAt[i]; slot = slotOf[i];
    const code = ${handlerCode};
    if (code === ${NO_HANDLER}) continue;
    ${result};
  }
}`
}

/** The source of a handler's call, and of what is done with what it returns: where that may be anything but nothing. */
function callSource({ state, handlers, returns, eventOf }: FoldSpec, index: number): string {
  const handler = handlers[index]!
  const key = takesKey(handler) ? ', keyOf(slot)' : ''
  const event = eventName(eventOf[index]!)
  const value = state === undefined ? 'objects[slot]' : 'state'
  const call = `h${handlers.indexOf(handler)}(${value}, ${event}${key})`
  if (returns[index] === 'nothing') return call
  return `${state === undefined ? 'takeState' : 'refuseResult'}(${call}, ${JSON.stringify(returns[index])}, ${event})`
}

/** The source of what looks at results; closes over `objects` and `slot`. */
function resultSource({ state, stateNames: names }: FoldSpec): string {
  if (state !== undefined) {
    const column = JSON.stringify(Object.keys(state)[0] ?? 'column')
    return `function refuseResult(result, kind, event) { if (result !== undefined && result !== state) runtime.refuseResult(result, kind, event, ${column}); }`
  }
  return `function takeState(result, kind, event) {
  if (result === undefined || result === objects[slot]) return;
  objects[slot] = runtime.newState(objects[slot], result, kind, event, ${JSON.stringify(names)});
}`
}

/**
 * The source of the call of the handler that `code` stands for. One function that handles several types is one handler.
 *
 * One or two are called in place, where the engine inlines them with all they read and write. It inlines so much into a
 * loop and no more, and then calls each getter and setter of what it has inlined: three times as slow. So each of more
 * is called by a function of its own; called from one place, these are inlined nowhere, and each has room for its
 * handler.
 */
function dispatchSource(calls: readonly string[]): { readonly declared: string; readonly result: string } {
  const distinct = [...new Set(calls)]
  const numbers = calls.map((call) => distinct.indexOf(call))
  const [first, second] = distinct
  if (first === undefined) return { declared: '', result: 'undefined' }
  if (second === undefined) return { declared: '', result: first }
  if (distinct.length === 2) {
    const declared = `const numberOf = Uint8Array.of(${numbers.join(', ')});`
    return { declared, result: `numberOf[code] === 0 ? ${first} : ${second}` }
  }
  const functions = distinct.map((call) => `() => ${call}`)
  return {
    declared: `const distinct = [${functions.join(', ')}];\nconst calls = [${numbers.map((number) => `distinct[${number}]`).join(', ')}];`,
    result: 'calls[code]()',
  }
}

function stateVariables(state: Fields): string {
  const indexes = Object.keys(state).map((_, index) => index)
  return `let ${variables('s', indexes)}, ${variables('n', indexes)};`
}

function bindStateSource(state: Fields): string {
  return Object.keys(state)
    .map((_, index) => `s${index} = states.columns[${index}].values; n${index} = states.columns[${index}].nulls;`)
    .join(' ')
}

function variables(prefix: string, indexes: readonly number[]): string {
  return indexes.length === 0 ? `${prefix}None` : indexes.map((index) => prefix + index).join(', ')
}

function columnVariables(slots: readonly Slot[]): string {
  const indexes = slots.map((_, index) => index)
  return `let ${['c', 'v', 'd', 'b', 'g'].map((prefix) => variables(prefix, indexes)).join(', ')};`
}

function bindSource(slots: readonly Slot[]): string {
  return slots
    .map(
      (_, i) =>
        `{ const bound = boundColumn(columns[${i}]); c${i} = bound.values; v${i} = bound.validity; d${i} = bound.strings; b${i} = bound.bytes; g${i} = bound.gap; }`,
    )
    .join(' ')
}

interface BoundColumn {
  readonly values: Int32Array | Float64Array | Uint8Array
  readonly validity: Uint8Array | null
  readonly strings: readonly string[] | null
  readonly bytes: Buffer | null
  readonly gap: number
}

function boundColumn(column: Column | undefined): BoundColumn {
  const none = { strings: null, bytes: null, gap: 0 }
  if (column === undefined) throw new Error('a column that a handler reads was not loaded')
  const { validity } = column
  switch (column.kind) {
    case 'int32':
    case 'float64':
      return { ...none, values: column.values, validity }
    case 'int64':
      return {
        ...none,
        values: new Int32Array(column.values.buffer, column.values.byteOffset, column.length * 2),
        validity,
      }
    case 'bool':
      return { ...none, values: column.bits, validity }
    case 'bytes':
      return { ...none, values: column.offsets, validity, bytes: bufferOf(column.data), gap: column.gap }
    case 'dictionary':
      return { ...none, values: column.codes, validity, strings: stringsOf(column.dictionary) }
    case 'values':
      throw new Error('nested values are brought into a slot before they are bound')
  }
}
