/**
 * Two stages: a retriever finds candidates among all items, a ranker orders them; trained on the same data, saved and served as one.
 *   score(q, i) = ranker(q, i), or with a weight w for the retriever (1 − w) · z(ranker) + w · z(retriever), z over the candidates,
 * for the retriever's best `candidates` items that are allowed at all (what the asker has seen leaves no gap); the others follow in
 * its order. Covington, Adams & Sargin (2016), Deep neural networks for YouTube recommendations. Any models can be the two.
 */
import { z } from "zod";
import type { Interactions } from "../core/interactions.js";
import type { FitContext, FittedModel, ModelDefinition, ModelState, Stages } from "../core/model.js";
import { parseParams } from "../core/params.js";
import { scoreStages } from "../ranking/staged.js";
import { topOfRow } from "../ranking/top-of-row.js";
import { nested, unnested } from "./parts/nested-state.js";
import { scoreItems, scoreRows } from "./parts/score-rows.js";

const stageSchema = z.strictObject({ model: z.string().min(1), params: z.record(z.string(), z.unknown()).default({}) });

const schema = z
  .strictObject({
    retriever: stageSchema.default({ model: "als", params: {} }),
    candidates: z.int().min(1).max(100_000).default(500),
    ranker: stageSchema.default({ model: "ease", params: {} }),
    retrieverWeight: z.number().min(0).lt(1).default(0),
  })
  .refine(({ retriever, ranker }) => ![retriever.model, ranker.model].includes("two-stage"), {
    path: ["ranker"],
    message: "Neither stage can be two-stage itself",
  });

export type TwoStageParams = z.output<typeof schema>;

export const twoStage: ModelDefinition<TwoStageParams> = {
  name: "two-stage",
  title: "Two stages: retrieval, then ranking",
  reference: "Covington, Adams & Sargin (2016), Deep neural networks for YouTube recommendations",
  description: "One model finds candidates among all items, another orders them; trained, evaluated, saved and served as one.",
  task: "retrieve",
  params: schema,
  help: {
    retriever: { help: "The model that finds candidates: { model, params }.", tune: false },
    candidates: { help: "Items that it hands on, after what is seen or excluded.", range: [20, 1000], scale: "log" },
    ranker: { help: "The model that orders them: { model, params }.", tune: false },
    retrieverWeight: {
      help: "Share of the retriever's score in the order of the candidates; 0: the ranker alone decides.",
      range: [0, 0.9],
    },
  },
  skips: [{ check: "permutes its answers when users and items are relabelled", reason: "its models may start by index" }],
  complexity: 65,
  onlyIfNamed: "which two models it is made of is for the recipe to say",

  predictsWeights: ({ ranker, retrieverWeight }, of) => retrieverWeight === 0 && of(ranker.model, ranker.params),

  async fit(train, params, context) {
    return twoStageModel(params, await fitStages(train, params, context));
  },

  restore({ params, numUsers, numItems, state, seen, restoreModel }) {
    const { stages } = parseParams(savedSchema, state.extra, "Saved model two-stage");
    const [retriever, ranker] = stages.map(({ model, params, extra }, part) =>
      restoreModel(model, { params, numUsers, numItems, state: { arrays: unnested(state.arrays, part), extra }, seen, restoreModel }),
    );
    return twoStageModel(params, { retriever, ranker });
  },

  partialRefit: {
    how: "Both of its models are fitted again on all events.",
    refit: async ({ params }, train, context) =>
      twoStageModel(params as TwoStageParams, await fitStages(train, params as TwoStageParams, context)),
  },
};

const savedSchema = z.strictObject({
  stages: z
    .array(
      z.strictObject({ model: z.string(), params: z.record(z.string(), z.unknown()), extra: z.record(z.string(), z.unknown()).optional() }),
    )
    .length(2),
});

interface Models {
  retriever: FittedModel;
  ranker: FittedModel;
}

async function fitStages(train: Interactions, { retriever, ranker }: TwoStageParams, { fitModel }: FitContext): Promise<Models> {
  return {
    retriever: await fitModel!(retriever.model, train, retriever.params),
    ranker: await fitModel!(ranker.model, train, ranker.params),
  };
}

function twoStageModel(params: TwoStageParams, { retriever, ranker }: Models): FittedModel {
  const { retrieverWeight } = params;
  const { numUsers, numItems } = retriever;
  const stages: Stages = {
    retriever,
    count: params.candidates,
    async rescore(query, items, retrieved) {
      const ranked = await scoreItems(ranker, query, items);
      if (retrieverWeight === 0) return ranked;
      const [own, first] = [standardised(ranked), standardised(retrieved)];
      return own.map((value, k) => (1 - retrieverWeight) * value + retrieverWeight * first[k]);
    },
  };
  return {
    name: "two-stage",
    params,
    numUsers,
    numItems,
    personal: retriever.personal || ranker.personal,
    readsBasket: retriever.readsBasket || ranker.readsBasket,
    stages,
    async scoreAll(queries, out) {
      await scoreRows(retriever, queries, out);
      const list = { itemIndex: new Int32Array(numItems), score: new Float32Array(numItems), at: 0, topK: numItems };
      for (const [q, query] of queries.entries()) {
        const row = out.subarray(q * numItems, (q + 1) * numItems);
        topOfRow(row, list);
        await scoreStages({ ...stages, query }, list.itemIndex, list.score);
        list.itemIndex.forEach((item, place) => {
          row[item] = list.score[place];
        });
      }
    },
    scoreCandidates: retrieverWeight === 0 ? ranker.scoreCandidates?.bind(ranker) : undefined,
    itemSimilarityVectors: retriever.itemSimilarityVectors,
    userSimilarityVectors: retriever.userSimilarityVectors,
    similarItems: retriever.similarItems?.bind(retriever),
    similarUsers: retriever.similarUsers?.bind(retriever),
    ...(ranker.featureStrengths ? { featureStrengths: () => ranker.featureStrengths!() } : {}),
    knowsUser: retriever.knowsUser?.bind(retriever),
    knowsItem: retriever.knowsItem?.bind(retriever),
    state(): ModelState {
      const models = [retriever, ranker];
      const states = models.map((model) => model.state());
      return {
        arrays: Object.assign({}, ...states.map(({ arrays }, part) => nested(arrays, part))),
        extra: {
          stages: models.map(({ name, params }, part) => ({
            model: name,
            params,
            ...(states[part].extra ? { extra: states[part].extra } : {}),
          })),
        },
      };
    },
  };
}

/** (s − mean) / sd; zeros where all are equal. */
function standardised(scores: Float32Array): Float32Array {
  const mean = scores.reduce((sum, score) => sum + score / scores.length, 0);
  const sd = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2 / scores.length, 0));
  return scores.map((score) => (sd > 0 ? (score - mean) / sd : 0));
}
