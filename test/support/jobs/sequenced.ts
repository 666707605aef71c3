import { defineJob } from 'refold'
import { everyKind } from '../every-kind.ts'

export default defineJob({
  views: everyKind({
    files: 'log/**/*.parquet',
    typed: true,
    sequenced: true,
    composite: false,
    uniqueIds: false,
    upcasts: false,
    looseOrder: false,
  }),
})
