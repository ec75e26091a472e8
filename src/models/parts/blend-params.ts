/** Parameters of blend, for blend.ts and what learns its weights. */
import { z } from "zod";
import { FEATURE_SCALES } from "./blend-features.js";
import { QUESTION_KINDS } from "./blend-questions.js";

const partSchema = z.strictObject({
  model: z.string().min(1),
  params: z.record(z.string(), z.unknown()).default({}),
  weight: z.number().optional(),
});

export const blendSchema = z
  .strictObject({
    models: z
      .array(partSchema)
      .min(1)
      .default([
        { model: "popularity", params: {} },
        { model: "als", params: {} },
        { model: "repeat", params: {} },
      ]),
    scale: z.enum(FEATURE_SCALES).default("both"),
    questions: z.enum(["auto", ...QUESTION_KINDS]).default("auto"),
    heldOut: z.number().gt(0).lt(1).default(0.1),
    rounds: z.int().min(1).max(12).default(1),
    excludeSeen: z.union([z.boolean(), z.literal("auto")]).default("auto"),
    objective: z.enum(["ndcg", "precision"]).default("ndcg"),
    topK: z.int().min(1).max(1000).default(10),
  })
  .refine(({ models }) => models.every(({ model }) => model !== "blend"), {
    path: ["models"],
    message: "A blend cannot be part of a blend",
  })
  .refine(({ models }) => new Set(models.map(({ weight }) => weight === undefined)).size === 1, {
    path: ["models"],
    message: "Give every model a weight, or none to have them learned",
  });

export type BlendParams = z.output<typeof blendSchema>;
