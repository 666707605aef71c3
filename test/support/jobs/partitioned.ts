import { defineJob } from 'refold'
import { partitionedViews } from '../partitioned-views.ts'

export default defineJob({
  views: partitionedViews({ files: 'log/**/*.parquet', textKey: true, sequenced: false, upcasts: false }),
})
