/** The same deliveries, taken at their word: the four columns are said to identify a ball, and duplicates are sought. */
import { defineJob, defineLog, defineView, int32, string } from 'refold'

const deliveries = defineLog({
  name: 'deliveries',
  files: 'ipl/deliveries.parquet',
  columns: { id: ['match_id', 'inning', 'over', 'ball'] },
  fields: { match: string('match_id'), total: int32('total_runs') },
})

const scores = defineView({
  name: 'scores',
  log: deliveries,
  key: { match: string() },
  keyBy: (e) => ({ match: e.match }),
  state: { total: int32() },
  on: {
    '*': (score, e) => {
      score.total += e.total
    },
  },
  orderFree: true,
})

export default defineJob({ views: [scores] })
