import { defineJob } from 'refold'
import { everyKind } from '../every-kind.ts'

export default defineJob({
  views: everyKind({
    files: 'log/**/*.parquet',
    typed: true,
    sequenced: false,
    composite: true,
    uniqueIds: false,
    upcasts: true,
    looseOrder: true,
  }),
})
