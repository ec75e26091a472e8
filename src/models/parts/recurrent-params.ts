/** Parameters of lstm and gru, and what is said of them. */
import { z } from "zod";
import type { ModelDefinition } from "../../core/model.js";

export const recurrentParams = z.strictObject({
  sequence: z.enum(["user", "basket"]).default("user"),
  dimensions: z.int().min(1).max(1024).default(64),
  units: z.int().min(1).max(2048).default(100),
  layers: z.int().min(1).max(8).default(1),
  userDimensions: z.int().min(0).max(1024).default(0),
  maxLength: z.int().min(1).max(400).default(50),
  dropout: z.number().min(0).lt(1).default(0.2),
  loss: z.enum(["auto", "full", "sampled", "bpr-max"]).default("auto"),
  negatives: z.int().min(1).max(100_000).default(512),
  batchPositions: z.int().min(1).max(100_000).default(400),
  epochs: z.int().min(1).max(10_000).default(30),
  learningRate: z.number().positive().default(4e-3),
  clipNorm: z.number().positive().default(5),
  patience: z.int().min(1).default(3),
  validationShare: z.number().min(0).lt(1).default(0.1),
});

export type RecurrentParams = z.output<typeof recurrentParams>;

export const recurrentHelp: ModelDefinition<RecurrentParams>["help"] = {
  sequence: {
    help: "user: all of a user's events, basket after basket; basket: each basket by itself, so that only the basket in progress counts.",
    tune: false,
  },
  dimensions: { help: "Width of item vectors.", range: [32, 256], scale: "log" },
  units: { help: "Width of the state of a layer.", range: [32, 512], scale: "log" },
  layers: { help: "Recurrent layers.", range: [1, 3] },
  userDimensions: { help: "Width of a learned vector per user that enters every step; 0 = none.", tune: false },
  maxLength: {
    help: "Longest piece that is trained on, and newest items of the past that are read.",
    range: [10, 200],
    scale: "log",
    tune: false,
  },
  dropout: { help: "Share of values dropped in training.", range: [0, 0.6] },
  loss: {
    help: "full: softmax over all items; sampled: over shared negatives; bpr-max: ranking loss of GRU4Rec over them; auto: full up to 20,000 items.",
    tune: false,
  },
  negatives: { help: "Shared negatives per batch of the sampled losses.", range: [64, 4096], scale: "log", tune: false },
  batchPositions: { help: "Events that one step of training learns from, about.", range: [200, 3200], scale: "log", tune: false },
  epochs: { help: "Most passes over the data.", tune: false, fast: 2 },
  learningRate: {
    help: "Of Adam, after a warm-up of at most 100 steps; falls to 0 at the last epoch where nothing is held out to stop on.",
    range: [2e-4, 1e-2],
    scale: "log",
  },
  clipNorm: { help: "Largest joint norm of a step's gradients.", tune: false },
  patience: { help: "Epochs without a better validation value before training stops.", tune: false },
  validationShare: { help: "Share of sequences whose last event is held out to stop on; 0 = train all epochs.", tune: false },
};
