/** Cricket ball by ball, read as it was published: no moments, no types, and an id made of four columns. */
import { defineJob, defineLog, defineView, int32, string } from 'refold'

export const deliveries = defineLog({
  name: 'deliveries',
  files: 'ipl/deliveries.parquet',
  columns: { id: ['match_id', 'inning', 'over', 'ball'] },
  // In 35 overs the first ball is numbered twice, so the four columns don't tell all balls apart.
  uniqueIds: true,
  fields: {
    match: string('match_id'),
    inning: int32(),
    team: string('batting_team'),
    batter: int32('batsman_runs'),
    extras: int32('extra_runs'),
    total: int32('total_runs'),
    wicket: int32('is_wicket'),
  },
})

export const innings = defineView({
  name: 'innings',
  log: deliveries,
  key: { match: string(), inning: int32(), team: string() },
  keyBy: (e) => ({ match: e.match, inning: e.inning, team: e.team }),
  state: { batter: int32(), extras: int32(), total: int32(), wickets: int32(), balls: int32() },
  on: {
    '*': (innings, e) => {
      innings.batter += e.batter
      innings.extras += e.extras
      innings.total += e.total
      innings.wickets += e.wicket
      innings.balls++
    },
  },
  merge: (into, from) => {
    into.batter += from.batter
    into.extras += from.extras
    into.total += from.total
    into.wickets += from.wickets
    into.balls += from.balls
  },
})

export default defineJob({ views: [innings] })
