/** Parameters that dcn and deepfm share, with their help. */
import { z } from "zod";
import type { ParamHelp } from "../../core/model.js";

export const pairShape = {
  target: z.enum(["click", "rating"]).default("click"),
  dimensions: z.int().min(1).max(1024).default(32),
  deepLayers: z.int().min(0).max(8).default(1),
  deepWidth: z.int().min(1).max(4096).default(128),
  dropout: z.number().min(0).lt(1).default(0.3),
  regularization: z.number().min(0).default(0.01),
  unknownShare: z.number().min(0).lt(1).default(0.01),
  negatives: z.int().min(1).max(1000).default(4),
  numbers: z.enum(["standardized", "buckets"]).default("standardized"),
  numberBuckets: z.int().min(2).max(1000).default(10),
  textBuckets: z.int().min(1).max(10_000_000).default(4096),
  eventTexts: z.enum(["others", "own", "none"]).default("others"),
  epochs: z.int().min(1).max(10_000).default(12),
  batchSize: z.int().min(1).max(1_000_000).default(1024),
  learningRate: z.number().positive().default(5e-3),
  patience: z.int().min(1).default(2),
  validationShare: z.number().min(0).lt(1).default(0.1),
};

const shared = z.strictObject(pairShape);
export type PairParams = z.output<typeof shared>;

export const pairHelp: { readonly [Key in keyof PairParams]: ParamHelp } = {
  target: { help: "click: events against sampled items, by cross-entropy; rating: the events' weights, by squared error.", tune: false },
  dimensions: { help: "Width of the embedding of each feature.", range: [4, 64], scale: "log" },
  deepLayers: { help: "Layers of the deep part; 0 = none.", range: [0, 3] },
  deepWidth: { help: "Width of each deep layer.", range: [16, 256], scale: "log" },
  dropout: { help: "Share of the values of embeddings and deep layers dropped in training.", range: [0, 0.5] },
  regularization: { help: "Penalty on the squared embeddings of a pair.", range: [1e-4, 0.3], scale: "log" },
  unknownShare: {
    help: "Chance in training that a feature of a pair is taken as unknown, so that unknown values are learned.",
    tune: false,
  },
  negatives: { help: "Sampled items per event; used by target click.", range: [1, 16], scale: "log" },
  numbers: { help: "standardized: as numbers; buckets: embedded, by quantile.", tune: false },
  numberBuckets: { help: "Most buckets of a number; used by numbers buckets.", tune: false },
  textBuckets: { help: "Rows that the hashed words of a text share.", tune: false },
  eventTexts: {
    help: "Texts of events: others: those of the item's events by other users; own: the event's own, which gives its rating away.",
    tune: false,
  },
  epochs: { help: "Most passes over the data; the learning rate falls to 0 over them along a cosine.", tune: false, fast: 2 },
  batchSize: { help: "Most pairs per step; small data is cut into smaller batches.", range: [128, 4096], scale: "log", tune: false },
  learningRate: { help: "Of Adam, at the start.", range: [3e-4, 1e-2], scale: "log" },
  patience: { help: "Epochs without a better validation value before training stops.", tune: false },
  validationShare: { help: "Share of the events held out to stop on; 0 = train all epochs.", tune: false },
};
