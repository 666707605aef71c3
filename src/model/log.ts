import type { Disambiguation, Fields, TimeUnit, Type, Values } from './type.ts'

/** Where a role of an event comes from: a column's name, or a declared type with its column, as `int64('account')`. */
export type RoleSource = string | Type

/**
 * The columns that say what an event is. A bare name means a string column (`id`: a string or an integer column);
 * keys of another type are declared, as `key: int64('account_id')`.
 */
export interface Roles {
  /** Identifies the event in the whole log. Several columns together may do so. */
  readonly id: RoleSource | readonly string[]
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
type SingleId<R extends Roles> = R['id'] extends readonly string[]
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
> {
  readonly kind: 'log'
  readonly name: string
  readonly files: string | readonly string[]
  readonly columns: R
  readonly fields: F
  readonly timeUnit: Unit
  readonly zone: string
  /** Whether the definition names a zone: without one, local times are refused. */
  readonly declaresZone: boolean
  readonly disambiguation: Disambiguation
  readonly idleTimeout: string
  readonly types: readonly Names[] | undefined
  readonly recordsWholeDays: boolean
  readonly uniqueIds: boolean
  readonly partitionedByKey: boolean
  readonly order: readonly OrderRole[] | undefined
  readonly sequenceScope: SequenceScope
  readonly tieBreak: readonly TieBreak[]
  // biome-ignore lint/suspicious/noExplicitAny: the event's type depends on the definition itself
  readonly upcast: Readonly<Record<string, (event: any) => Upcasted<F> | readonly Upcasted<F>[] | null>>
}

export type OrderRole = 'sequence' | 'recordedAt' | 'occurredAt' | 'id'

/** What a sequence counts: the events of each stream, or those of the whole log. */
export type SequenceScope = 'stream' | 'log'

/** What decides between events that are equal in all else: a field, `key`, `occurredAt`, or which type comes first. */
export type TieBreak<Field extends string = string, Names extends string = string> =
  | Field
  | { readonly types: readonly Names[] }

/**
 * @property name Names the log in messages and manifests.
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
 * @property types The event types there are. Without it the `unknown` of each view decides on types it doesn't handle.
 * @property uniqueIds The log is known to hold each id once: duplicates are not looked for. Default false.
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
 *   Types that are not listed come after those that are, null before any value. A field of float64 or JSON is refused.
 * @property upcast From old event types to new ones, before any view sees them: an object with what changes, several
 *   of them (the event is split), or null (the event is dropped, counted as filtered).
 */
export interface LogSpec<F extends Fields, R extends Roles, Unit extends TimeUnit, Names extends string> {
  readonly name: string
  readonly files: string | readonly string[]
  readonly columns: R
  readonly fields?: F
  readonly timeUnit?: Unit
  readonly zone?: string
  readonly disambiguation?: Disambiguation
  readonly idleTimeout?: string
  readonly types?: readonly Names[]
  readonly recordsWholeDays?: boolean
  readonly uniqueIds?: boolean
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
>(spec: LogSpec<F, R, Unit, Names>): LogDefinition<F, R, Unit, Names> {
  return Object.freeze({
    // Unknown properties are kept, for validation to name.
    ...spec,
    kind: 'log',
    name: spec.name,
    files: spec.files,
    columns: spec.columns,
    fields: spec.fields ?? ({} as F),
    timeUnit: spec.timeUnit ?? ('us' as Unit),
    zone: spec.zone ?? 'UTC',
    declaresZone: spec.zone !== undefined,
    disambiguation: spec.disambiguation ?? 'reject',
    idleTimeout: spec.idleTimeout ?? '1 day',
    types: spec.types,
    recordsWholeDays: spec.recordsWholeDays ?? false,
    uniqueIds: spec.uniqueIds ?? false,
    partitionedByKey: spec.partitionedByKey ?? false,
    order: spec.order,
    sequenceScope: spec.sequenceScope ?? 'stream',
    tieBreak: listed(spec.tieBreak),
    upcast: spec.upcast ?? {},
  })
}

function listed<T extends TieBreak>(tieBreak: T | readonly T[] | undefined): readonly T[] {
  if (tieBreak === undefined) return []
  return Array.isArray(tieBreak) ? tieBreak : [tieBreak as T]
}
