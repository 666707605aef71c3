import { defineJob } from 'refold'
import { mergedViews } from '../merged-views.ts'

export default defineJob({
  views: mergedViews({
    orders: 'orders/**/*.parquet',
    payments: 'payments/**/*.parquet',
    sequenced: true,
    sequenceScope: 'stream',
    tieBreak: ['amount'],
    upcasts: true,
  }),
})
