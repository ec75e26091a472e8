/**
 * The public library API for Node: all of `browser.ts`, and what reads files and keeps models in folders. Everything here is stable.
 */
export * from "./browser.js";
export { type ImpressionFile, readImpressions } from "./data/readers/impressions.js";
export { type ListFile, readRankedLists } from "./data/readers/ranked-lists.js";
export { type Dataset, readDataset, readInteractions } from "./data/readers/read-dataset.js";
export type {
  ColumnChoice,
  ColumnNames,
  DropRule,
  Guess,
  ReadOptions,
  ReadReport,
  RejectReason,
} from "./data/readers/read-types.js";
// these take the place of the browser's, which stay reachable as loadRemoteModel and loadRemoteItemProperties
export { type LoadOptions, loadItemProperties, loadModel } from "./store/load-model.js";
export { type Manifest, readManifest, type SaveOptions, saveModel } from "./store/model-folder.js";
export { loadRemoteItemProperties, loadRemoteModel } from "./store/remote-model.js";
export { openTrialStore } from "./store/trial-store.js";
