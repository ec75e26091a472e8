/** Parameters of user-retrieval, for the model and what trains it. */
import { z } from "zod";
import { weightings } from "./similarity.js";

export const userRetrievalSchema = z.strictObject({
  dimensions: z.int().min(1).max(1024).default(24),
  neighbours: z.int().min(1).max(100_000).default(50),
  weighting: z.enum(weightings).default("log"),
  others: z.enum(["popular", "none"]).default("popular"),
  historyItems: z.int().min(1).max(1000).default(3),
  samplesPerItem: z.int().min(1).max(1000).default(5),
  batchSize: z.int().min(1).max(65_536).default(4096),
  stepsPerEpoch: z.int().min(1).max(100_000).default(50),
  epochs: z.int().min(1).max(10_000).default(30),
  learningRate: z.number().positive().default(0.1),
  initScale: z.number().positive().default(0.14),
});

export type UserRetrievalParams = z.output<typeof userRetrievalSchema>;
