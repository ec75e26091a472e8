/** Parameters of mult-vae, for the model and what trains it. */
import { z } from "zod";

export const multVaeSchema = z.strictObject({
  hidden: z.int().min(1).max(4096).default(600),
  latent: z.int().min(1).max(4096).default(200),
  dropout: z.number().min(0).lt(1).default(0.5),
  klWeight: z.number().min(0).max(10).default(0.2),
  annealEpochs: z.int().min(0).default(50),
  epochs: z.int().min(1).max(10_000).default(200),
  batchSize: z.int().min(1).max(100_000).default(128),
  learningRate: z.number().positive().default(2e-3),
  weightDecay: z.number().min(0).default(0),
  patience: z.int().min(1).default(15),
  averaging: z.number().min(0).lt(1).default(0.9),
  validationShare: z.number().min(0).lt(1).default(0.2),
});

export type MultVaeParams = z.output<typeof multVaeSchema>;
