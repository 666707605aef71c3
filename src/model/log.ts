import type { Disambiguation, Fields, TimeUnit, Type, Values } from './type.ts'

/** Where a role of an event comes from: a column's name, or a declared type with its column, as `int64('account')`. */
export type RoleSource = string | Type

/**
 * The columns that say what an event is. A bare name means a string column (`id`: a string or an integer column);
 * keys of another type are declared, as `key: int64('account_id')`.
 */
export interface Roles {
  /** Identifies the event in the whole log. Several columns together may do so, as `['day', int64('no')]`. */
  readonly id: RoleSource | readonly RoleSource[]
  /** The stream the event belongs to, and the key of views that declare none. */
  readonly key?: RoleSource
  /** The event's type; a log without one has events of type `Event`. */
  readonly type?: RoleSource
  /** When it happened: moments, or days (`date()`), which mean their midnight in the log's zone. */
  readonly occurredAt?: RoleSource
  /** When the log received it: moments, or days. */
  readonly recordedAt?: RoleSource
  /** The event's position in its stream, or in the log. */
  readonly sequence?: RoleSource
}

export type Moment<Unit extends TimeUnit> = Unit extends 'ns' ? bigint : number

type RoleValue<R, Bare> = R extends Type<infer Value> ? Value : Bare

/**
 * What a handler sees of an event. Read-only, and valid only while the handler runs: keep values, or a copy as `{ ...e }`, but
 * not the event itself.
 */
export type EventOf<L> =
  L extends LogDefinition<infer F, infer R, infer Unit, infer Names>
    ? Readonly<
        Values<F> & { type: Names } & SingleId<R> &
          Present<R, 'key', RoleValue<R['key'], string>> &
          Present<R, 'occurredAt', Moment<Unit>> &
          Present<R, 'recordedAt', Moment<Unit>> &
          Present<R, 'sequence', RoleValue<R['sequence'], number>>
      >
    : never

/** An id of several columns has no single value. */
type SingleId<R extends Roles> = R['id'] extends readonly unknown[]
  ? unknown
  : Readonly<{ id: RoleValue<R['id'], string | number> }>

type Present<R, Name extends string, Value> =
  R extends Readonly<Record<Name, RoleSource>> ? Readonly<Record<Name, Value>> : unknown

/** What an upcaster may return: the event's new type and fields; what it leaves out stays as it was. */
export type Upcasted<F extends Fields> = Partial<Values<F>> & { readonly type?: string }

export interface LogDefinition<
  F extends Fields = Fields,
  R extends Roles = Roles,
  Unit extends TimeUnit = TimeUnit,
  Names extends string = string,
  Name extends string = string,
> {
  readonly kind: 'log'
  readonly name: Name
  readonly files: string | readonly string[]
  /** Of a log that is the rows of a view: that view. It has no files of its own. */
  readonly view: SourceView | undefined
  readonly columns: R
  readonly fields: F
  readonly timeUnit: Unit
  readonly zone: string
  /** Whether the definition names a zone: without one, local times are refused. */
  readonly declaresZone: boolean
  readonly disambiguation: Disambiguation
  readonly idleTimeout: string
  readonly maxClockSkew: string
  readonly types: readonly Names[] | undefined
  readonly recordsWholeDays: boolean
  readonly uniqueIds: boolean
  readonly duplicates: DuplicatesDefinition | undefined
  readonly partitionedByKey: boolean
  readonly order: readonly OrderRole[] | undefined
  readonly sequenceScope: SequenceScope
  readonly tieBreak: readonly TieBreak[]
  // biome-ignore lint/suspicious/noExplicitAny: the event's type depends on the definition itself
  readonly upcast: Readonly<Record<string, (event: any) => Upcasted<F> | readonly Upcasted<F>[] | null>>
}

/**
 * Deliveries of one event, with the same id, that differ in when or how they arrived.
 *
 * @property ignore In what they may differ: `recordedAt`, `sequence`, or names of fields. In all else they must be equal.
 * @property keep Which delivery counts, with its recordedAt and fields: the `first` (default) or the `last` by recordedAt, of
 *   those known where a rebuild asks for a moment. Between those recorded at the same moment their ignored values decide.
 */
export interface DuplicatesSpec<Name extends string> {
  readonly ignore: readonly Name[]
  readonly keep?: 'first' | 'last'
}

export interface DuplicatesDefinition {
  readonly ignore: readonly string[]
  readonly keep: 'first' | 'last'
}

export type OrderRole = 'sequence' | 'recordedAt' | 'occurredAt' | 'id'

/** What a sequence counts: the events of each stream, or those of the whole log. */
export type SequenceScope = 'stream' | 'log'

/** What decides between events that are equal in all else: a field, `key`, `occurredAt`, or which type comes first. */
export type TieBreak<Field extends string = string, Names extends string = string> =
  | Field
  | { readonly types: readonly Names[] }

/**
 * @property name Names the log in messages and manifests, and in views of several logs.
 * @property files Glob or globs, relative to the current folder; `name=value` folders become columns.
 * @property columns Which columns are the event's id, key, type, moments and sequence.
 * @property fields What handlers may read besides those: columns, or paths into a nested or JSON column.
 * @property timeUnit The unit of moments in handlers: `ms` and `us` (default) are numbers, `ns` is a bigint. A moment
 *   that the unit can't hold exactly is an error.
 * @property zone The IANA time zone, or an offset as `+05:30`, in which days begin: of windows that name no other, of roles
 *   that are days, and of days and local times in options. It is also the zone of the log's local times: timestamps that
 *   are not adjusted to UTC, and text without an offset. Default `UTC`; a log that holds local times must name its zone.
 * @property disambiguation Which moment a local time means that clocks skipped or showed twice, in Temporal's words:
 *   `earlier`, `later`, or `compatible` (of two the earlier; of a skipped one the later). `reject` (default) makes it an error.
 * @property idleTimeout A partition that has recorded nothing for this long doesn't hold up windows: it is taken to be
 *   complete up to then. Here a partition is the files of one Hive folder, or all files of a folder where there are none.
 *   Weeks or a smaller unit, a day counts 24 hours. Default `1 day`.
 * @property recordsWholeDays Of a log whose recordedAt are days: all events of a day are written at once, so a day is over as soon
 *   as any of them is there, as with one report a day. Else the newest day may still get events, and estimates of what is to come
 *   begin with the day before it; `--known-at` that day says that it is over. Default false.
 * @property maxClockSkew Events that were recorded after the log had recorded nothing for longer than this, and are fewer than those
 *   before, are taken to be of a clock that is ahead: they are applied and reported, and don't make windows final. Weeks or a
 *   smaller unit, a day counts 24 hours; more than the longest silence of the log. Default `365 days`.
 * @property types The event types there are. Without it the `unknown` of each view decides on types it doesn't handle.
 * @property uniqueIds The log is known to hold each id once: duplicates are not looked for. Default false.
 * @property duplicates In what deliveries of one event may differ, and which of them counts: see `DuplicatesSpec`. Without it two
 *   events of one id that differ in anything the log declares are a conflict.
 * @property partitionedByKey All events of a key lie in one partition: in the files of one Hive folder, that is, with the
 *   same `name=value` values, or in one file where there are no such folders. Views are then folded where the events are
 *   read, if the partitions are small enough. A key found in two partitions is an error. Default false.
 * @property sequenceScope What the sequence counts: the events of each `stream`, which is the log's key (default), or those of
 *   the whole `log`. By a sequence of the log all views are ordered. By one of streams, only views that are keyed by the
 *   log's key; a view with `keyBy` or `window` may bring streams together, and is ordered by recordedAt.
 * @property order The order of events, for all views, in place of the default: sequence where it orders the view, then
 *   recordedAt. Then comes what `tieBreak` says, and last the id.
 * @property tieBreak Decides between events that sequence and recordedAt leave equal: the name of a field, `'key'`,
 *   `'occurredAt'`, or the event types in their order, as `{ types: ['Opened', 'Paid'] }`; or several of those, in an array.
 *   Types that are not listed come after those that are, null before any value. A field of float64, bytes, JSON or
 *   a decimal of more than 18 digits is refused.
 * @property upcast From old event types to new ones, before any view sees them: an object with what changes, several
 *   of them (the event is split), or null (the event is dropped, counted as filtered).
 */
export interface LogSpec<
  F extends Fields,
  R extends Roles,
  Unit extends TimeUnit,
  Names extends string,
  Name extends string = string,
> {
  readonly name: Name
  readonly files: string | readonly string[]
  readonly columns: R
  readonly fields?: F
  readonly timeUnit?: Unit
  readonly zone?: string
  readonly disambiguation?: Disambiguation
  readonly idleTimeout?: string
  readonly maxClockSkew?: string
  readonly types?: readonly Names[]
  readonly recordsWholeDays?: boolean
  readonly uniqueIds?: boolean
  readonly duplicates?: DuplicatesSpec<(keyof NoInfer<F> & string) | 'recordedAt' | 'sequence'>
  readonly partitionedByKey?: boolean
  readonly order?: readonly OrderRole[]
  readonly sequenceScope?: SequenceScope
  readonly tieBreak?: DeclaredTieBreak<F, Names> | readonly DeclaredTieBreak<F, Names>[]
  readonly upcast?: Readonly<
    Record<
      string,
      (
        event: EventOf<LogDefinition<F, R, Unit, Names>>,
      ) => Upcasted<NoInfer<F>> | readonly Upcasted<NoInfer<F>>[] | null
    >
  >
}

type DeclaredTieBreak<F extends Fields, Names extends string> = TieBreak<
  (keyof NoInfer<F> & string) | 'key' | 'occurredAt',
  NoInfer<Names>
>

/** What a log of a view's rows needs to know of the view. */
export interface SourceView {
  readonly kind: 'view'
  readonly name: string
  readonly log: SourceLog | undefined
  /** Of a view of several logs, whose keys, units and zones are the same. */
  readonly logs?: readonly SourceLog[] | undefined
  readonly window: { readonly name: string } | undefined
  readonly key: Fields | undefined
  readonly state: Fields | (() => object)
  readonly columns: Fields | undefined
  readonly row: ((state: never, key: never) => unknown) | undefined
}

interface SourceLog {
  readonly columns: Roles
  readonly timeUnit: TimeUnit
  readonly zone: string
}

/** The types of a view's rows. Types only: a view has no such property. */
export interface RowsOf<F extends Fields, R extends Roles, Unit extends TimeUnit> {
  readonly rowTypes?: { readonly fields: F; readonly columns: R; readonly unit: Unit }
}

/** Any view that `defineView` gave. */
// biome-ignore lint/suspicious/noExplicitAny: rows of any types
type AnySource = SourceView & RowsOf<any, any, any>

type RowTypes<V> = V extends { readonly rowTypes?: infer Types } ? NonNullable<Types> : never
type RowFields<V> = RowTypes<V> extends { readonly fields: infer F extends Fields } ? F : never
type RowColumns<V> = RowTypes<V> extends { readonly columns: infer R extends Roles } ? R : never
type RowUnit<V> = RowTypes<V> extends { readonly unit: infer Unit extends TimeUnit } ? Unit : never

/**
 * A log of the rows of a view of the same job. Each row is one event, of the type `Event`.
 *
 * @property view The view whose rows they are. It is built first.
 * @property name Names the log in messages and manifests. Default the view's name.
 * @property columns As in other logs; what is named here takes the place of: `id` the view's key columns, and `key` the key
 *   of the view's own log where it is the view's key.
 * @property fields What handlers may read. Default all columns that the view declares in `key`, and in `columns` or else in `state`.
 * @property uniqueIds Default true for a view without `row`, which has one row a key.
 * @property order Default the ids, which are the keys: rows have no other order.
 */
export interface RowLogSpec<V, F extends Fields, R extends Partial<Roles>> {
  readonly view: V
  readonly name?: string
  readonly columns?: R
  readonly fields?: F
  readonly uniqueIds?: boolean
  readonly order?: readonly OrderRole[]
}

/**
 * Makes a log of the rows of a view, for views of a view.
 *
 * @example
 * ```ts
 * const accounts = defineLog({ view: balances })
 * ```
 */
export function defineLog<
  const V extends AnySource,
  const F extends Fields = RowFields<V>,
  const R extends Partial<Roles> = Record<never, never>,
>(
  spec: RowLogSpec<V, F, R>,
): LogDefinition<F, Omit<RowColumns<V>, keyof R> & R & Pick<Roles, 'id'>, RowUnit<V>, 'Event'>
/**
 * Describes a log: its files, which columns play which role, and the fields handlers may read.
 *
 * @example
 * ```ts
 * const ledger = defineLog({
 *   name: 'ledger',
 *   files: 'data/ledger/*.parquet',
 *   columns: { id: 'event_id', key: 'account_id', type: 'type', occurredAt: 'occurred_at', recordedAt: 'recorded_at' },
 *   fields: { amount: int64() },
 * })
 * ```
 */
export function defineLog<
  const F extends Fields = Record<never, Type>,
  const R extends Roles = Roles,
  const Unit extends TimeUnit = 'us',
  const Names extends string = string,
  const Name extends string = string,
>(spec: LogSpec<F, R, Unit, Names, Name>): LogDefinition<F, R, Unit, Names, Name>
export function defineLog(
  spec: LogSpec<Fields, Roles, TimeUnit, string> | RowLogSpec<SourceView, Fields, Partial<Roles>>,
): LogDefinition {
  return Object.freeze(filledIn('view' in spec ? rowLog(spec) : spec))
}

/** @param spec May have a view, of which the rows are. */
function filledIn(spec: LogSpec<Fields, Roles, TimeUnit, string> & { readonly view?: SourceView }): LogDefinition {
  return {
    // Unknown properties are kept, for validation to name.
    ...spec,
    kind: 'log',
    name: spec.name,
    files: spec.files,
    view: spec.view,
    columns: spec.columns,
    fields: spec.fields ?? {},
    timeUnit: spec.timeUnit ?? 'us',
    zone: spec.zone ?? 'UTC',
    declaresZone: spec.zone !== undefined,
    disambiguation: spec.disambiguation ?? 'reject',
    idleTimeout: spec.idleTimeout ?? '1 day',
    maxClockSkew: spec.maxClockSkew ?? '365 days',
    types: spec.types,
    recordsWholeDays: spec.recordsWholeDays ?? false,
    uniqueIds: spec.uniqueIds ?? false,
    duplicates: spec.duplicates && Object.freeze({ ...spec.duplicates, keep: spec.duplicates.keep ?? 'first' }),
    partitionedByKey: spec.partitionedByKey ?? false,
    order: spec.order,
    sequenceScope: spec.sequenceScope ?? 'stream',
    tieBreak: listed(spec.tieBreak),
    upcast: spec.upcast ?? {},
  }
}

function rowLog(
  spec: RowLogSpec<SourceView, Fields, Partial<Roles>>,
): LogSpec<Fields, Roles, TimeUnit, string> & { readonly view: SourceView } {
  const { view } = spec
  const { columns, timeUnit, zone } = (view.log ?? view.logs?.[0])!
  const ownKey = view.key === undefined && view.window === undefined ? columns.key : undefined
  const key = typeof ownKey === 'object' ? publishedType(ownKey, keyColumnName(ownKey)) : ownKey
  const id = [
    ...(view.window === undefined ? [] : [view.window.name]),
    ...(key === undefined ? Object.entries(view.key ?? {}).map(([name, type]) => publishedType(type, name)) : [key]),
  ]
  const isOrdered = spec.columns?.sequence !== undefined || spec.columns?.recordedAt !== undefined
  return {
    // Unknown properties are kept, for validation to name.
    ...spec,
    name: spec.name ?? view.name,
    files: [],
    columns: { id, ...(key !== undefined && { key }), ...spec.columns },
    fields: spec.fields ?? rowFieldsOf(view),
    timeUnit,
    zone,
    uniqueIds: spec.uniqueIds ?? (view.row === undefined && spec.columns?.id === undefined),
    ...(spec.order === undefined && !isOrdered && { order: ['id'] as const }),
  }
}

/** The name of the column that a log's key becomes in its views. */
function keyColumnName(key: RoleSource): string {
  if (typeof key === 'string') return key
  return key.from === undefined ? 'key' : typeof key.from === 'string' ? key.from : key.from.join('.')
}

/** A key column as the view's files have it: how the log's own files hold the values says nothing of these. */
function publishedType({ kind, nullable, unit, precision, scale }: Type, from: string): Type {
  return {
    kind,
    nullable,
    from,
    ...(unit !== undefined && { unit }),
    ...(precision !== undefined && { precision, scale: scale! }),
  }
}

/** The columns that a view declares, as fields. What is JSON may be null in a row. */
function rowFieldsOf({ key, columns, state }: SourceView): Fields {
  const declared = { ...key, ...(columns ?? (typeof state === 'function' ? {} : state)) }
  const types = Object.entries(declared).map(([name, { initial: _, ...type }]): [string, Type] => [
    name,
    type.kind === 'json' ? { ...type, nullable: true } : type,
  ])
  return Object.fromEntries(types)
}

function listed<T extends TieBreak>(tieBreak: T | readonly T[] | undefined): readonly T[] {
  if (tieBreak === undefined) return []
  return Array.isArray(tieBreak) ? tieBreak : [tieBreak as T]
}
