/**
 * Blend: a weighted sum of other models' scores, each made comparable first.
 *   score(q, i) = Σ_m w_m · scale(s_m(q, i)),  standard: (s − mean) / sd over the items of the query; compressed: sign · log(1 + |·|) of that
 * Weights are given, or learned (for known askers, newcomers and guests apart) on questions held out from the training data (parts/blend-questions.ts, parts/blend-weights.ts);
 * the models are then fitted again on all of it. Linear stacking: Breiman (1996), Stacked regressions; Jahrer, Töscher & Legenstein
 * (2010), Combining predictions for accurate recommender systems.
 */
import { z } from "zod";
import type { Csr } from "../core/interactions.js";
import type { FitContext, FittedModel, ModelDefinition, ModelState } from "../core/model.js";
import { parseParams } from "../core/params.js";
import { askerKind } from "./parts/asker-kind.js";
import { blendFeatures, FEATURES_OF } from "./parts/blend-features.js";
import { type BlendWeights, learnBlend } from "./parts/blend-learning.js";
import { type BlendParams, blendSchema } from "./parts/blend-params.js";
import { nested, unnested } from "./parts/nested-state.js";

export const blend: ModelDefinition<BlendParams> = {
  name: "blend",
  title: "Blend",
  reference: "Jahrer, Töscher & Legenstein (2010), Combining predictions for accurate recommender systems",
  description: "A weighted sum of other models, the weights learned on a held-out part of the training data or given.",
  task: "retrieve",
  params: blendSchema,
  help: {
    models: { help: "The models: [{ model, params, weight }]; weights for all or for none.", tune: false },
    scale: { help: "How scores are made comparable: standard scores, their signed logarithm, or both as two features.", tune: false },
    questions: {
      help: "What weights are learned on: a random share of each user's events, each user's last event, the next baskets, or their lines.",
      tune: false,
    },
    heldOut: { help: "Share of events held out for learning, except for the last events.", range: [0.05, 0.3], tune: false },
    rounds: {
      help: "How often that share is held out, each time of what is left; weights are learned on all rounds together.",
      tune: false,
      fast: 1,
    },
    excludeSeen: {
      help: "Whether items of the user's history compete; auto: they do when a tenth of all events are repeats.",
      tune: false,
    },
    objective: { help: "The list metric that weights are polished on.", tune: false },
    topK: { help: "List length of the objective.", tune: false },
  },
  skips: [
    {
      check: "permutes its answers when users and items are relabelled",
      reason: "its held-out questions are drawn by index, and its models may start by index",
    },
  ],
  complexity: 60,

  async fit(train, params, context) {
    const { models } = params;
    const weights = models.every(({ weight }) => weight !== undefined)
      ? { known: Float64Array.from(models.flatMap(({ weight }) => Array.from({ length: FEATURES_OF[params.scale] }, () => weight!))) }
      : await learnBlend(train, params, context);
    return blendModel(params, weights, { parts: await fitParts(train, params, context), seen: train.matrixByUser() });
  },

  restore({ params, numUsers, numItems, state, seen, restoreModel }) {
    const saved = parseParams(savedSchema, state.extra, "Saved model blend");
    const fitted = saved.parts.map(({ model, params, extra }, p) =>
      restoreModel(model, { params, numUsers, numItems, state: { arrays: unnested(state.arrays, p), extra }, seen, restoreModel }),
    );
    return blendModel(params, weightsOf(saved), { parts: fitted, seen });
  },

  partialRefit: {
    how: "Its models are fitted again on all events; the learned weights stay.",
    async refit(previous, train, context) {
      const params = previous.params as BlendParams;
      const weights = weightsOf(parseParams(savedSchema, previous.state().extra, "Model blend"));
      return blendModel(params, weights, { parts: await fitParts(train, params, context), seen: train.matrixByUser() });
    },
  },
};

const savedSchema = z.strictObject({
  weights: z.array(z.number()),
  newcomerWeights: z.array(z.number()).optional(),
  guestWeights: z.array(z.number()).optional(),
  parts: z.array(
    z.strictObject({
      model: z.string(),
      params: z.record(z.string(), z.unknown()),
      extra: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});

const weightsOf = ({ weights, newcomerWeights, guestWeights }: z.output<typeof savedSchema>): BlendWeights => ({
  known: Float64Array.from(weights),
  newcomer: newcomerWeights && Float64Array.from(newcomerWeights),
  guest: guestWeights && Float64Array.from(guestWeights),
});

async function fitParts(train: Parameters<typeof blend.fit>[0], { models }: BlendParams, { fitModel }: FitContext): Promise<FittedModel[]> {
  const parts: FittedModel[] = [];
  for (const { model, params } of models) parts.push(await fitModel!(model, train, params));
  return parts;
}

function blendModel(
  params: BlendParams,
  weights: BlendWeights,
  { parts, seen }: { parts: readonly FittedModel[]; seen: Csr },
): FittedModel {
  const { numUsers, numItems } = parts[0];
  const readsBasket = parts.some((part) => part.readsBasket);
  const perModel = FEATURES_OF[params.scale];
  return {
    name: "blend",
    params,
    numUsers,
    numItems,
    personal: parts.every((part) => part.personal), // a part that answers anyone answers unknown users, too
    readsBasket,
    async scoreAll(queries, out) {
      out.fill(0, 0, queries.length * numItems);
      const weightsBy = queries.map((query) => weights[askerKind(query, seen, readsBasket)] ?? weights.known);
      await blendFeatures(parts, queries, params.scale, (part, feature, values) => {
        for (let q = 0; q < queries.length; q++) {
          const weight = weightsBy[q][part * perModel + feature];
          if (weight !== 0) for (let at = q * numItems; at < (q + 1) * numItems; at++) out[at] += weight * values[at];
        }
      });
    },
    state(): ModelState {
      const states = parts.map((part) => part.state());
      return {
        arrays: Object.assign({}, ...states.map(({ arrays }, p) => nested(arrays, p))),
        extra: {
          weights: [...weights.known],
          ...(weights.newcomer ? { newcomerWeights: [...weights.newcomer] } : {}),
          ...(weights.guest ? { guestWeights: [...weights.guest] } : {}),
          parts: parts.map(({ name, params }, p) => ({ model: name, params, ...(states[p].extra ? { extra: states[p].extra } : {}) })),
        },
      };
    },
  };
}
