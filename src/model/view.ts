import type { EventOf, LogDefinition } from './log.ts'
import type { Fields, Type, Values } from './type.ts'

// biome-ignore lint/suspicious/noExplicitAny: a log of any fields, roles and types
export type AnyLog = LogDefinition<any, any, any, any>

/** The key of a view that declares none: the log's own key. */
export interface LogKey {
  readonly key: string | number | bigint
}

export type KeyOf<K> = K extends Fields ? Readonly<Values<K>> : LogKey

/** A typed state's declaration, or a function that makes a free-form one. */
export type StateSpec = Fields | (() => object)

export type StateOf<S> = S extends () => infer State ? State : S extends Fields ? Values<S> : never

/** Folds one event into the state of one key. Must depend on nothing but its arguments. */
export type Handler<State, Event, Key> = (state: State, event: Event, key: Key) => void

export type UnknownTypePolicy = 'filter' | 'quarantine' | 'fail'

/**
 * @property name Names the view and its folder: letters, digits, `-`, `_` and `.`, beginning with a letter or digit.
 * @property key The view's key columns. Without it the key is the log's, and the column is named as in the log.
 * @property by The key or keys an event is folded into; null where it is not for this view. Required with `key`.
 * @property state A typed state (fast), or a function that makes a free-form one.
 * @property on Handlers by event type; `*` is for every type that has none of its own.
 * @property filter Keeps only events for which it is true. Asked after the event's type was found to have a handler.
 * @property unknown What becomes of event types without a handler: `filter` (default), `quarantine` (listed as
 *   exceptions), or `fail`. Where the log declares its `types`, those count as known and are filtered.
 * @property onError What becomes of an event whose handler throws: `fail` (default) the rebuild, or `quarantine` the
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
> {
  readonly name: string
  readonly log: L
  readonly key?: K
  readonly by?: (event: EventOf<L>) => KeyOf<NoInfer<K>> | readonly KeyOf<NoInfer<K>>[] | null
  readonly state: S
  readonly on: Readonly<
    Partial<Record<EventOf<L>['type'] | '*', Handler<StateOf<NoInfer<S>>, EventOf<L>, KeyOf<NoInfer<K>>>>>
  >
  readonly filter?: (event: EventOf<L>) => boolean
  readonly unknown?: UnknownTypePolicy
  readonly onError?: 'fail' | 'quarantine'
  readonly merge?: (into: StateOf<NoInfer<S>>, from: Readonly<StateOf<NoInfer<S>>>) => void
  readonly orderFree?: boolean
  readonly columns?: C
  readonly row?: (
    state: Readonly<StateOf<NoInfer<S>>>,
    key: KeyOf<NoInfer<K>>,
  ) => RowOf<NoInfer<S>, NoInfer<C>> | readonly RowOf<NoInfer<S>, NoInfer<C>>[] | null
}

/** The row that `row` returns: of the declared columns, or of the state's where none are declared. */
export type RowOf<S, C> = C extends Fields ? Readonly<Values<C>> : S extends Fields ? Readonly<Values<S>> : never

/** A view with every default filled in. The functions are untyped here: their types were checked where they were written. */
export interface ViewDefinition {
  readonly kind: 'view'
  readonly name: string
  readonly log: AnyLog
  readonly key: Fields | undefined
  readonly by: ((event: never) => unknown) | undefined
  readonly state: StateSpec
  readonly on: Readonly<Record<string, Handler<never, never, never> | undefined>>
  readonly filter: ((event: never) => boolean) | undefined
  readonly unknown: UnknownTypePolicy
  readonly onError: 'fail' | 'quarantine'
  readonly merge: ((into: never, from: never) => void) | undefined
  readonly orderFree: boolean
  readonly columns: Fields | undefined
  readonly row: ((state: never, key: never) => unknown) | undefined
}

/**
 * Describes a view: which events of a log, folded by which key into which state, and the rows that become of it.
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
 */
export function defineView<
  const L extends AnyLog,
  const S extends StateSpec,
  const K extends Fields | undefined = undefined,
  const C extends Fields | undefined = undefined,
>(spec: ViewSpec<L, S, K, C>): ViewDefinition {
  return Object.freeze({
    kind: 'view',
    name: spec.name,
    log: spec.log,
    key: spec.key,
    by: spec.by as ViewDefinition['by'],
    state: spec.state,
    on: spec.on as ViewDefinition['on'],
    filter: spec.filter as ViewDefinition['filter'],
    unknown: spec.unknown ?? 'filter',
    onError: spec.onError ?? 'fail',
    merge: spec.merge as ViewDefinition['merge'],
    orderFree: spec.orderFree ?? spec.merge !== undefined,
    columns: spec.columns,
    row: spec.row as ViewDefinition['row'],
  })
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
  return Object.freeze({ kind: 'job', views: Object.freeze([...spec.views]), schedule: spec.schedule })
}

/** Whether a view's state is declared column by column. */
export function isTyped(state: StateSpec): state is Fields {
  return typeof state !== 'function'
}

export type { Type }
