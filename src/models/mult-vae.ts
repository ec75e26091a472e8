/**
 * Mult-VAE: a user's set of items is encoded into a normal distribution over a small space, and decoded into chances of all items.
 *   z ~ N(μ(x), σ(x)²),  π = softmax(W tanh(V z + c) + b),  loss = −Σ_i x_i log π_i + klWeight · KL(N(μ, σ²) ‖ N(0, 1))
 * x is the binary row scaled to length 1, with dropout; the KL term rises from 0. Scores are log π up to a constant of the user.
 * Liang, Krishnan, Hoffman & Jebara (2018), Variational autoencoders for collaborative filtering. Runs on ONNX Runtime.
 */
import { z } from "zod";
import type { Csr } from "../core/interactions.js";
import type { FittedModel, ModelDefinition, ModelState } from "../core/model.js";
import { createRandom } from "../core/random.js";
import { createParameters } from "../nn/parameters.js";
import { createGraph, input } from "../nn/tensor.js";
import { withBias } from "./parts/biased-vectors.js";
import { fitMultVae, type TrainedMultVae } from "./parts/mult-vae-fit.js";
import { ITEM_BIAS, ITEMS, multVaeLoss } from "./parts/mult-vae-network.js";
import { multVaeOnnx } from "./parts/mult-vae-onnx.js";
import { type MultVaeParams, multVaeSchema } from "./parts/mult-vae-params.js";
import { createMultVaeEncoder } from "./parts/mult-vae-vectors.js";
import { savedFloat32 } from "./parts/saved-arrays.js";
import { historyRow } from "./parts/user-history.js";

export const multVae: ModelDefinition<MultVaeParams> = {
  name: "mult-vae",
  title: "Mult-VAE: variational autoencoder",
  reference: "Liang, Krishnan, Hoffman & Jebara (2018), Variational autoencoders for collaborative filtering",
  description: "Encodes a user's set of items into a distribution and decodes it into chances of all items; folds in unseen users.",
  task: "retrieve",
  params: multVaeSchema,
  help: {
    hidden: { help: "Width of the hidden layers.", range: [50, 800], scale: "log" },
    latent: { help: "Width of the latent space.", range: [16, 400], scale: "log" },
    dropout: { help: "Share of a user's items left out of the input in training.", range: [0.2, 0.8] },
    klWeight: { help: "Weight of the KL term once it has risen.", range: [0.01, 1], scale: "log" },
    annealEpochs: { help: "Epochs in which the KL term rises from 0.", tune: false },
    epochs: { help: "Most passes over the users.", tune: false, fast: 3 },
    batchSize: { help: "Users per step.", range: [16, 500], scale: "log" },
    learningRate: { help: "Of Adam.", range: [2e-4, 5e-3], scale: "log" },
    weightDecay: { help: "Share of each parameter taken off per unit of learning rate.", tune: false },
    patience: { help: "Epochs without a better validation value before training stops.", tune: false },
    averaging: {
      help: "Share of the running mean of the weights that an epoch leaves; the mean is what is kept. 0: the weights.",
      range: [0, 0.9],
    },
    validationShare: { help: "Share of users of whom a fifth of the items is held out to stop on; 0 = train all epochs.", tune: false },
  },
  skips: [{ check: "permutes its answers when users and items are relabelled", reason: "the seeded start goes by index" }],
  complexity: 70,
  needs: "onnxruntime",
  unsuited: ({ numItems }) => (numItems > 100_000 ? "every step computes a softmax over all items" : undefined),

  async fit(train, params, context) {
    const { numUsers, numItems } = train;
    return multVaeModel({ numUsers, numItems, seen: train.matrixByUser() }, params, await fitMultVae(train, params, context));
  },

  restore({ params, numUsers, numItems, state, seen }) {
    const { encoder: _encoder, ...own } = state.arrays;
    const parameters = createParameters(createRandom(0));
    parameters.restore(own);
    const graph = createGraph(); // every parameter is mentioned once, so that they are all here to be saved again
    multVaeLoss({ graph, parameters, masks: [], dropout: 0 }, input(graph, "rows", [1, params.hidden]), { ...params, numItems });
    return multVaeModel({ numUsers, numItems, seen }, params, {
      parameters,
      encoder: savedFloat32(state, "encoder", [numItems, params.hidden]),
      losses: z.array(z.number()).parse(state.extra?.losses),
    });
  },

  partialRefit: { unavailable: "its network is trained anew on all events; new events of known users are folded in as history" },
};

function multVaeModel(
  { numUsers, numItems, seen }: { numUsers: number; numItems: number; seen: Csr },
  params: MultVaeParams,
  { parameters, encoder, losses }: TrainedMultVae,
): FittedModel {
  const { hidden, latent } = params;
  const rows = createMultVaeEncoder({ parameters, shape: { hidden, latent, numItems }, encoder });
  const [items, bias] = [ITEMS, ITEM_BIAS].map((name) => parameters.list.find((one) => one.name === name)!.values);
  return {
    name: "mult-vae",
    params,
    numUsers,
    numItems,
    personal: true,
    losses,
    vectors: {
      dimensions: hidden + 1,
      itemVectors: withBias(items, bias, new Float32Array(numItems * (hidden + 1))),
      encode: (queries, out) =>
        rows.encode(
          queries.length,
          (k) => {
            const { indices, weights } = historyRow(queries[k], seen);
            return { items: weights.every((weight) => weight > 0) ? indices : indices.filter((_, e) => weights[e] > 0) };
          },
          out,
        ),
    },
    itemSimilarityVectors: { dimensions: hidden, vectors: encoder },
    toOnnx: async () => multVaeOnnx({ title: multVae.title, parameters, encoder, shape: { hidden, latent, numItems } }),
    state(): ModelState {
      return { arrays: { ...parameters.arrays(), encoder: { shape: [numItems, hidden], data: encoder } }, extra: { losses: [...losses] } };
    },
  };
}
