import type { LogEvents } from '../inspect/survey-job.ts'
import type { OrderFinding, OrderReport } from '../model/order-report.ts'
import { formatCount, formatCounted } from './numbers.ts'

/** What there is to say of the order in which a view's events are folded; nothing where all of it is declared. */
export function orderNotes(view: string, { ties, againstSequence }: OrderReport): string[] {
  const notes: string[] = []
  if (ties.example !== null) {
    const [before, event] = ties.example.events
    notes.push(
      `nothing that its log declares orders ${extent(ties)}, so the events' own keys and ids decide: for example ${event} after ${before}, of ` +
        `key ${ties.example.key}. Declare what decides on the log: tieBreak: 'line_no', a field, or tieBreak: { types: ['Opened', 'Paid'] }; ` +
        `or, if ids are given in the order of events, end order with 'id'.`,
    )
  }
  if (againstSequence.example !== null) {
    const [before, event] = againstSequence.example.events
    notes.push(
      `recordedAt, by which its events are ordered, contradicts the sequence of a stream for ${extent(againstSequence)}: for example ${event} ` +
        `comes after ${before}, of key ${againstSequence.example.key}. If the sequence counts through the whole log, declare ` +
        `sequenceScope: 'log'; if each key is of one stream, order: ['sequence'].`,
    )
  }
  return notes.map((note) => `${view}: ${note}`)
}

function extent({ events, keys }: OrderFinding): string {
  return `${formatCounted(events, 'event')} in ${formatCounted(keys, 'key')}`
}

/** Where a log's sequence counts something else than it is declared to; null where it doesn't. */
export function scopeNote({ log, events: { sequence }, sequenceScope: declared }: LogEvents): string | null {
  if (sequence === null || declared === null || sequence.scope === declared) return null
  if (sequence.scope === 'log') {
    if (sequence.streams < 2) return null
    return (
      `${log}: no number of its sequence is in two streams, so it seems to count through the whole log. If it does, declare ` +
      `sequenceScope: 'log', and views that bring streams together are ordered by it.`
    )
  }
  return (
    `${log}: its sequence is declared to count through the whole log, but its numbers are in several streams. Leave sequenceScope ` +
    `out, and views that bring streams together are ordered by recordedAt.`
  )
}

/** The order of a view's events in a few words, for a table. */
export function describeOrder({ ties, againstSequence }: OrderReport): string {
  const found = [
    ties.events === 0 ? null : `${formatCount(ties.events)} by id alone, in ${formatCounted(ties.keys, 'key')}`,
    againstSequence.events === 0
      ? null
      : `${formatCount(againstSequence.events)} against their sequence, in ${formatCounted(againstSequence.keys, 'key')}`,
  ].filter((part) => part !== null)
  return found.length === 0 ? 'declared for all' : found.join('; ')
}
