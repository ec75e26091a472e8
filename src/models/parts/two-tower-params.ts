/** Parameters of two-tower, for the model and what trains it. */
import { z } from "zod";

export const twoTowerSchema = z.strictObject({
  dimensions: z.int().min(1).max(1024).default(64),
  layers: z.array(z.int().min(1).max(4096)).max(8).default([]),
  userInputs: z
    .array(z.enum(["id", "features", "history"]))
    .min(1)
    .default(["features", "history"]),
  itemInputs: z
    .array(z.enum(["id", "features"]))
    .min(1)
    .default(["id", "features"]),
  historyItems: z.int().min(1).max(10_000).default(50),
  historyExponent: z.number().min(0).max(1).default(0.5),
  normalize: z.boolean().default(false),
  temperature: z.number().positive().default(1),
  popularity: z.number().min(0).max(2).default(1),
  logQ: z.boolean().default(true),
  hits: z.enum(["same", "known"]).default("same"),
  negatives: z.int().min(0).max(100_000).default(0),
  batchSize: z.int().min(1).max(65_536).default(1024),
  stepsPerEpoch: z.int().min(1).max(10_000).default(30),
  lossOf: z.enum(["mean", "sum"]).default("mean"),
  dropout: z.number().min(0).lt(1).default(0.3),
  unknownShare: z.number().min(0).lt(1).default(0.1),
  textBuckets: z.int().min(1).max(10_000_000).default(4096),
  initScale: z.number().positive().default(0.1),
  optimizer: z.enum(["adam", "adagrad"]).default("adam"),
  learningRate: z.number().positive().default(5e-3),
  weightDecay: z.number().min(0).default(0),
  epochs: z.int().min(1).max(10_000).default(50),
  patience: z.int().min(1).default(5),
  averaging: z.number().min(0).lt(1).default(0.7),
  validationShare: z.number().min(0).lt(1).default(0.2),
});

export type TwoTowerParams = z.output<typeof twoTowerSchema>;
