import type { EventOf, LogDefinition, Moment, RoleSource, RowsOf } from './log.ts'
import type { Fields, Values } from './type.ts'

// biome-ignore lint/suspicious/noExplicitAny: a log of any fields, roles and types
export type AnyLog = LogDefinition<any, any, any, any, string>

/** The key of a view that declares none: the log's own key. */
export interface LogKey {
  readonly key: string | number | bigint
}

type ExactUnit = 'second' | 'minute' | 'hour'
type CalendarUnit = 'day' | 'week' | 'month' | 'year'
type ManyOf<Unit extends string> = `${number} ${Unit}` | `${number} ${Unit}s`

/** How long a view's windows are: `hour`, `day`, `week`, `month`, or a number of those, as `6 hours`. */
export type WindowLength = ExactUnit | CalendarUnit | ManyOf<ExactUnit | CalendarUnit>

/** How late events are handled: listed as exceptions, or applied as corrections. */
export type LatePolicy = 'exceptions' | 'apply'

/**
 * A view's rows by when events occurred.
 *
 * @property name The key column of the window, which comes first. Default `window`.
 * @property every How long a window is. Weeks are ISO weeks, from Monday; windows of several hours, days or months are counted
 *   from 1970-01-01T00:00 in the zone. The column is `date()`, the first day, for whole days and longer, else a
 *   `timestamp` of the start in the log's unit.
 * @property zone IANA name, as `Asia/Taipei`. Default the log's zone.
 * @property allowedLateness How long after its window's end an event may be recorded, as `7 days`. What is recorded later is late.
 * @property late How late events are handled. Default `exceptions`.
 * @property measure What the reporting triangle adds up, besides counting events. Default 1 an event; may be negative.
 */
export interface WindowSpec<Measure, Every extends WindowLength, Name extends string> {
  readonly name?: Name
  readonly every: Every
  readonly zone?: string
  readonly allowedLateness: string
  readonly late?: LatePolicy
  readonly measure?: Measure
}

/** A window with every default filled in. */
export interface WindowDefinition<Measure = MeasureFunction> {
  readonly name: string
  readonly every: string
  readonly zone: string
  readonly allowedLateness: string
  readonly late: LatePolicy
  readonly measure: Measure | undefined
}

type MeasureFunction = (event: never) => unknown

/** What a window of whole days or longer is to a handler: its first day; else the moment it begins. */
type WindowValue<L, Every> = Every extends ExactUnit | ManyOf<ExactUnit>
  ? L extends LogDefinition<infer _F, infer _R, infer Unit, infer _Names>
    ? Moment<Unit>
    : never
  : number

type DeclaredKey<K> = K extends Fields ? Values<K> : unknown

/** The key that handlers see. A window's column comes before those the view declares, and without those is alone. */
export type KeyOf<L, K, Every, Name extends string> = [Every] extends [never]
  ? K extends Fields
    ? Readonly<Values<K>>
    : LogKey
  : Readonly<Record<Name, WindowValue<L, Every>> & DeclaredKey<K>>

/** What `keyBy` gives: the declared columns only; where none are, a window has no further key. */
type GivenKey<K, Every> = K extends Fields ? Readonly<Values<K>> : [Every] extends [never] ? LogKey : never

/** A typed state's declaration, or a function that makes a free-form one. */
export type StateSpec = Fields | (() => object)

type StateOf<S> = S extends () => infer State ? State : S extends Fields ? Values<S> : never

/**
 * What the value of an expression may be that is written for its effect, as `(s, e) => s.sum += e.amount`. A bare `void` would
 * accept any value.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: functions without a return are void
type NoResult = void | undefined | null | number | bigint | string | boolean

/**
 * Folds one event into the state of one key. Must depend only on its arguments. A handler of a typed state changes it and returns
 * nothing: an object would be lost, so it is refused. One of a free-form state changes it, or returns the new state, whole.
 */
type Handler<State, Event, Key, Result = NoResult> = (state: State, event: Event, key: Key) => Result

/** What a handler may return. */
type ResultOf<S> = S extends () => infer State ? NoResult | State : NoResult

type UnknownTypePolicy = 'filter' | 'quarantine' | 'fail'

/**
 * @property name Names the view and its folder: letters, digits, `-`, `_` and `.`, beginning with a letter or digit.
 * @property key The view's key columns. Without it the key is the log's, and the column is named as in the log.
 * @property keyBy The key or keys an event is folded into; null where it is not for this view. Required with `key`.
 * @property window Divides events by when they occurred: a column of the window comes first in the key, before those of `key`,
 *   and without `key` it is the whole key. Rows also say whether they are final.
 * @property state A typed state (fast), or a function that makes a free-form one.
 * @property on Handlers by event type; `*` is for every type that has none of its own. They change the state; of a
 *   free-form one they may return the new state instead.
 * @property filter Keeps only events for which it is true. Called only for events whose type has a handler.
 * @property unknown How event types without a handler are treated: `filter` (default), `quarantine` (listed as
 *   exceptions), or `fail`. Where the log declares its `types`, those count as known and are filtered.
 * @property onError How an event whose handler throws is treated: `fail` (default) the rebuild, or `quarantine` the
 *   event: the key is folded as if it had never been.
 * @property merge Combines two states of one key. Declares that events may be folded in any order and in pieces.
 * @property orderFree Declares that handlers commute: events need not be put in order. Default false; `merge` implies it.
 * @property columns The columns besides the key, where `row` makes them. Required for a free-form state.
 * @property row What a key's state becomes: a row, several, or none (null). What a row has beyond the columns is left out.
 */
export interface ViewSpec<
  L extends AnyLog,
  S extends StateSpec,
  K extends Fields | undefined,
  C extends Fields | undefined,
  Every extends WindowLength,
  Name extends string,
> extends FoldedSpec<L, S, K, C, Every, Name> {
  readonly log: L
  readonly logs?: undefined
  readonly window?: WindowSpec<(event: EventOf<L>) => number | bigint, Every, Name>
  readonly keyBy?: KeyBy<L, K, Every>
  readonly on: HandlersOf<L, S, KeyOf<L, NoInfer<K>, NoInfer<Every>, NoInfer<Name>>>
  readonly filter?: (event: EventOf<L>) => boolean
}

/**
 * A view of several logs; what is not said here is as in a view of one. Events are folded in the order in which they were recorded;
 * where several logs recorded at the same moment, in the order of `logs`; and those of one log in that log's own order.
 *
 * @property logs At least two logs of different names, all with `recordedAt`, of one `timeUnit` and one `zone`. Their order is their
 *   precedence.
 * @property keyBy By the log's name. A log that has none, in a view without `key`, is folded by its own key; all such keys must
 *   have one type, and their columns one name.
 * @property window Its `measure` is given by the log's name; a log without one counts 1 an event. A window is final when every log is known beyond it.
 * @property on Handlers by the log's name, then by event type; `*` is for every type of that log that has none of its own.
 * @property filter By the log's name.
 */
export interface MergedViewSpec<
  L extends AnyLog,
  S extends StateSpec,
  K extends Fields | undefined,
  C extends Fields | undefined,
  Every extends WindowLength,
  Name extends string,
> extends FoldedSpec<L, S, K, C, Every, Name> {
  readonly log?: undefined
  readonly logs: readonly L[]
  readonly window?: WindowSpec<
    { readonly [N in L['name']]?: (event: EventOf<Named<L, N>>) => number | bigint },
    Every,
    Name
  >
  readonly keyBy?: { readonly [N in L['name']]?: KeyBy<Named<L, N>, K, Every> }
  readonly on: {
    readonly [N in L['name']]?: HandlersOf<Named<L, N>, S, KeyOf<L, NoInfer<K>, NoInfer<Every>, NoInfer<Name>>>
  }
  readonly filter?: { readonly [N in L['name']]?: (event: EventOf<Named<L, N>>) => boolean }
}

/** That of several logs which has the name. */
type Named<L extends AnyLog, N> = Extract<L, { readonly name: N }>

/** What views of one and of several logs declare in the same way. */
interface FoldedSpec<
  L extends AnyLog,
  S extends StateSpec,
  K extends Fields | undefined,
  C extends Fields | undefined,
  Every extends WindowLength,
  Name extends string,
> {
  readonly name: string
  readonly key?: K
  readonly state: S
  readonly unknown?: UnknownTypePolicy
  readonly onError?: 'fail' | 'quarantine'
  readonly merge?: (into: StateOf<NoInfer<S>>, from: Readonly<StateOf<NoInfer<S>>>) => ResultOf<NoInfer<S>>
  readonly orderFree?: boolean
  readonly columns?: C
  readonly row?: (
    state: Readonly<StateOf<NoInfer<S>>>,
    key: KeyOf<L, NoInfer<K>, NoInfer<Every>, NoInfer<Name>>,
  ) => RowOf<NoInfer<S>, NoInfer<C>> | readonly RowOf<NoInfer<S>, NoInfer<C>>[] | null
}

type KeyBy<L, K, Every> = (
  event: EventOf<L>,
) => GivenKey<NoInfer<K>, NoInfer<Every>> | readonly GivenKey<NoInfer<K>, NoInfer<Every>>[] | null

type HandlersOf<L extends AnyLog, S, Key> = Readonly<
  Partial<Record<EventOf<L>['type'] | '*', Handler<StateOf<NoInfer<S>>, EventOf<L>, Key, ResultOf<NoInfer<S>>>>>
>

/** The row that `row` returns: of the declared columns, or of the state's where none are declared. */
type RowOf<S, C> = C extends Fields ? Readonly<Values<C>> : S extends Fields ? Readonly<Values<S>> : never

/** A view with every default filled in. The functions are untyped here: their types were checked where they were written. */
export type ViewDefinition = LogView | MergedView

interface FoldedView {
  readonly kind: 'view'
  readonly name: string
  readonly key: Fields | undefined
  readonly state: StateSpec
  readonly unknown: UnknownTypePolicy
  readonly onError: 'fail' | 'quarantine'
  readonly merge: ((into: never, from: never) => unknown) | undefined
  readonly orderFree: boolean
  readonly columns: Fields | undefined
  readonly row: ((state: never, key: never) => unknown) | undefined
}

/** The types of the rows that a view becomes, as far as it declares them: not those of a window's columns. */
type ViewRows<L, S, K, C, Every> =
  L extends LogDefinition<infer _F, infer R, infer Unit, infer _Names>
    ? RowsOf<
        (K extends Fields ? K : Record<never, never>) &
          (C extends Fields ? C : S extends Fields ? S : Record<never, never>),
        Readonly<{ id: readonly RoleSource[] }> &
          (K extends Fields
            ? unknown
            : [Every] extends [never]
              ? R extends { readonly key: infer Key extends RoleSource }
                ? Readonly<{ key: Key }>
                : unknown
              : unknown),
        Unit
      >
    : unknown
type Handlers = Readonly<Record<string, Handler<never, never, never, unknown> | undefined>>
type KeyFunction = (event: never) => unknown
type FilterFunction = (event: never) => boolean
/** By the log's name. */
type ByLog<T> = Readonly<Record<string, T | undefined>>

/** A view of one log. */
export interface LogView extends FoldedView {
  readonly log: AnyLog
  readonly logs: undefined
  readonly window: WindowDefinition | undefined
  readonly keyBy: KeyFunction | undefined
  readonly on: Handlers
  readonly filter: FilterFunction | undefined
}

/** A view of several logs, in the order of their precedence. */
export interface MergedView extends FoldedView {
  readonly log: undefined
  readonly logs: readonly AnyLog[]
  readonly window: WindowDefinition<ByLog<MeasureFunction>> | undefined
  readonly keyBy: ByLog<KeyFunction> | undefined
  readonly on: ByLog<Handlers>
  readonly filter: ByLog<FilterFunction> | undefined
}

/**
 * Describes a view: which events of a log, or of several, folded by which key into which state, and the rows made of it.
 *
 * @example
 * ```ts
 * const balances = defineView({
 *   name: 'balances',
 *   log: ledger,
 *   state: { balance: int64() },
 *   on: { Deposited: (account, e) => { account.balance += e.amount } },
 * })
 * ```
 *
 * @example
 * ```ts
 * const status = defineView({
 *   name: 'order-status',
 *   logs: [orders, payments],
 *   state: { placed: int64(), paid: int64() },
 *   on: {
 *     orders: { Placed: (order, e) => { order.placed += e.total } },
 *     payments: { Received: (order, e) => { order.paid += e.amount } },
 *   },
 * })
 * ```
 */
export function defineView<
  const L extends AnyLog,
  const S extends StateSpec,
  const K extends Fields | undefined = undefined,
  const C extends Fields | undefined = undefined,
  const Every extends WindowLength = never,
  const Name extends string = 'window',
  const Many extends readonly unknown[] | undefined = undefined,
>(
  given: AnyViewSpec<L, Many, ViewSpec<L, S, K, C, Every, Name>, MergedViewSpec<L, S, K, C, Every, Name>>,
): ([Many] extends [undefined] ? LogView : MergedView) & ViewRows<L, S, K, C, Every> {
  const spec = given as unknown as GivenSpec
  const view = {
    // Unknown properties of a view are kept, for validation to name.
    ...spec,
    kind: 'view',
    name: spec.name,
    log: spec.log,
    logs: spec.logs,
    window: spec.window && defineWindow(spec.window, zoneOf(spec)),
    key: spec.key,
    keyBy: spec.keyBy,
    state: spec.state,
    on: spec.on,
    filter: spec.filter,
    unknown: spec.unknown ?? 'filter',
    onError: spec.onError ?? 'fail',
    merge: spec.merge,
    orderFree: spec.orderFree ?? spec.merge !== undefined,
    columns: spec.columns,
    row: spec.row,
  }
  // The types of its rows are carried by no property.
  return Object.freeze(view) as never
}

/**
 * Whether `logs` are given decides what else is: one signature and not two, so that the compiler reports a fault where it is.
 *
 * @typeParam Many Inferred from `logs`; undefined where there are none.
 */
type AnyViewSpec<L extends AnyLog, Many, One, Merged> = {
  readonly log?: L
  readonly logs?: Many & readonly L[]
} & ([Many] extends [undefined] ? One : Merged)

/** What `defineView` is given; its types were checked where it was written, or are by validation. */
type GivenSpec = Partial<Omit<ViewDefinition, 'window' | 'log' | 'logs'>> & {
  readonly log?: AnyLog
  readonly logs?: readonly AnyLog[]
  readonly window?: WindowSpec<unknown, WindowLength, string>
}

/** In which a view's windows begin unless it says so: validation refuses logs of different zones. */
function zoneOf({ log, logs }: GivenSpec): string | undefined {
  return log?.zone ?? (Array.isArray(logs) ? (logs[0] as AnyLog | undefined)?.zone : undefined)
}

function defineWindow(spec: WindowSpec<unknown, WindowLength, string>, zone: string | undefined): object {
  return Object.freeze({
    // Unknown properties of a window are kept, for validation to name.
    ...spec,
    name: spec.name ?? 'window',
    every: spec.every,
    zone: spec.zone ?? zone,
    allowedLateness: spec.allowedLateness,
    late: spec.late ?? 'exceptions',
    measure: spec.measure,
  })
}

/** What a view with windows adds to its rows. */
export const statusNames: readonly string[] = ['status', 'knownThrough', 'lateEvents']

/** The view of another view's vintages. */
export function vintagesName(view: string): string {
  return `${view}-vintages`
}

export interface JobDefinition {
  readonly kind: 'job'
  readonly views: readonly ViewDefinition[]
  readonly schedule: string | undefined
}

/**
 * Groups the views that are rebuilt together; views of one log share its scan. A job file exports it as its default.
 *
 * @param spec.schedule A cron expression for the scheduler, as `0 2 * * *`.
 */
export function defineJob(spec: {
  readonly views: readonly ViewDefinition[]
  readonly schedule?: string
}): JobDefinition {
  return Object.freeze({ ...spec, kind: 'job', views: Object.freeze([...spec.views]), schedule: spec.schedule })
}

/** The logs that a view reads, in the order of their precedence. */
export function logsOf(view: ViewDefinition): readonly AnyLog[] {
  return view.logs === undefined ? [view.log] : view.logs
}

/** A view as each of its logs sees it: as a view of that log alone. */
export function sharesOf(view: ViewDefinition): readonly LogView[] {
  return view.logs === undefined ? [view] : view.logs.map((log) => shareOf(view, log))
}

function countOne(): number {
  return 1
}

function shareOf(view: MergedView, log: AnyLog): LogView {
  const { window, keyBy, filter, on } = view
  return {
    ...view,
    log,
    logs: undefined,
    window: window && { ...window, measure: window.measure && (window.measure[log.name] ?? countOne) },
    keyBy: keyBy?.[log.name],
    filter: filter?.[log.name],
    on: on[log.name] ?? {},
  }
}

/** Whether a view's state is declared column by column. */
export function isTyped(state: StateSpec): state is Fields {
  return typeof state !== 'function'
}
