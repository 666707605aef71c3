/** The public door of Refold: what a job file imports; for programs the engine, and how views and logs are read. */

export { loadDefinition, loadJob, planRebuild, rebuild } from './engine.ts'
export { inspectLog, surveyJob, surveyLateness } from './inspect/door.ts'
export type { FilesReport } from './inspect/inspect-files.ts'
export type { LogLateness } from './inspect/lateness.ts'
export type { LogEvents, ViewOrder } from './inspect/survey-job.ts'
export type { LoadedJob } from './job/load.ts'
export { ConfigurationError, ConflictError, InputError, OutputError, RefoldError, ViewError } from './model/errors.ts'
export type { EventOf, LogDefinition, SequenceScope, TieBreak } from './model/log.ts'
export { defineLog } from './model/log.ts'
export type { Manifest, ManifestColumn } from './model/manifest.ts'
export type { OrderExample, OrderFinding, OrderReport } from './model/order-report.ts'
export type { Plan } from './model/plan.ts'
export type {
  Counters,
  Progress,
  RebuildOptions,
  RebuildReport,
  ViewReport,
  VintageLength,
} from './model/report.ts'
export type { Fields, TimeUnit, Type, Values } from './model/type.ts'
export {
  bigint,
  bool,
  bytes,
  date,
  decimal,
  float64,
  int32,
  int64,
  json,
  nullable,
  string,
  timestamp,
  uint64,
  uuid,
} from './model/types.ts'
export type { JobDefinition, LatePolicy, ViewDefinition, WindowLength } from './model/view.ts'
export { defineJob, defineView } from './model/view.ts'
export type { RebuildPlan } from './plan/plan-rebuild.ts'
export { listViews, openView } from './read/door.ts'
export type { GenerationEntry } from './read/history.ts'
export type { Key } from './read/key-text.ts'
export type { Row } from './read/program-rows.ts'
export type { TriangleReport } from './read/triangle-rows.ts'
export type {
  Correction,
  CorrectionsOptions,
  DiffCounts,
  DiffOptions,
  HistoryOptions,
  OpenOptions,
  RowChange,
  RowsOptions,
  TriangleOptions,
  View,
  ViewDiff,
} from './read/view.ts'
export { dayOf, formatDay, hourOf, type MomentOptions, monthOf } from './time/of-moment.ts'
export { streamTrace, traceKey } from './trace/door.ts'
export type {
  KeyEvent,
  KeyTrace,
  KeyTraceStream,
  Outcome,
  StateChange,
  TraceKeyOptions,
} from './trace/key-trace-types.ts'
