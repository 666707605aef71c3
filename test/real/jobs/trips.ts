/** Trips of a .NET event store's test suite: nested JSON payloads, and events that are meant to make a fold throw. */
import { defineJob, defineLog, defineView, int32, int64, json, nullable, string } from 'refold'

interface Movement {
  readonly Direction: number
  readonly Distance: number
}

export const events = defineLog({
  name: 'trip-events',
  files: 'trips/*.parquet',
  columns: { id: 'event_id', key: 'stream', type: 'type', sequence: 'version' },
  fields: {
    day: nullable(int32('payload.Day')),
    state: nullable(string('payload.State')),
    movements: nullable(json<readonly Movement[]>('payload.Movements')),
  },
})

export const trips = defineView({
  name: 'trips',
  log: events,
  state: {
    startedOn: nullable(int32()),
    endedOn: nullable(int32()),
    state: nullable(string()),
    travelled: int64(),
    stations: int32(),
  },
  on: {
    TripStarted: (trip, e) => {
      trip.startedOn = e.day
    },
    Departure: (trip) => {
      trip.state = null
    },
    Arrival: (trip, e) => {
      trip.state = e.state
      trip.stations++
    },
    Travel: (trip, e) => {
      for (const movement of e.movements ?? []) trip.travelled += movement.Distance
    },
    TripEnded: (trip, e) => {
      trip.endedOn = e.day
      trip.state = e.state
    },
    FailingEvent: () => {
      throw new Error('this event is meant to fail')
    },
  },
  onError: 'quarantine',
})

/** The same fold without a handler for the failing events: they are of a type the view doesn't know. */
export const tripsOfKnownEvents = defineView({
  name: 'trips-of-known-events',
  log: events,
  state: { travelled: int64(), ended: int32() },
  on: {
    TripStarted: () => {},
    Departure: () => {},
    Arrival: () => {},
    Travel: (trip, e) => {
      for (const movement of e.movements ?? []) trip.travelled += movement.Distance
    },
    TripEnded: (trip) => {
      trip.ended++
    },
  },
  unknown: 'quarantine',
})

export default defineJob({ views: [trips, tripsOfKnownEvents] })
