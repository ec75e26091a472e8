/**
 * What lstm and gru share: parameters, fit and restore. GRU4Rec (Hidasi et al. 2016; Hidasi & Karatzoglou 2018) with one table of item
 * vectors for what goes in and what is scored, state carried along the session:
 *   score(i) = outputᵀ e_i,  output = W h + b,  h = the state after the asker's items in order
 */
import { z } from "zod";
import type { FitContext, FittedModel, ModelDefinition, ModelState, Query } from "../../core/model.js";
import { createRandom } from "../../core/random.js";
import { createParameters, type Parameters } from "../../nn/parameters.js";
import { createSparseTable, type SparseTable } from "../../nn/sparse-table.js";
import { sizeOf } from "../../nn/tensor.js";
import { trainNextItem } from "./next-item-training.js";
import { createRecurrentEncoder } from "./recurrent-encoder.js";
import { type RecurrentShape, recurrentStates } from "./recurrent-network.js";
import { recurrentOnnx } from "./recurrent-onnx.js";
import { type RecurrentParams, recurrentHelp, recurrentParams } from "./recurrent-params.js";
import { newestOfUsers, tokensOf, trainingSequences } from "./recurrent-sequences.js";
import { savedFloat32 } from "./saved-arrays.js";
import { type ItemSequences, savedSequences, sequenceArrays } from "./user-sequences.js";

type Definition = ModelDefinition<RecurrentParams>;

export interface RecurrentHead extends Pick<Definition, "name" | "title" | "reference" | "description" | "complexity"> {
  cell: RecurrentShape["cell"];
}

export function recurrentDefinition({ cell, ...head }: RecurrentHead): Definition {
  return {
    ...head,
    task: "sequence",
    params: recurrentParams,
    help: recurrentHelp,
    skips: [{ check: "permutes its answers when users and items are relabelled", reason: "the seeded start goes by index" }],
    needs: "onnxruntime",
    unsuited: ({ hasTimestamps, numInteractions, numUsers }) => {
      if (!hasTimestamps) return "the data has no times to order events by";
      return numInteractions < 3 * numUsers ? "users have fewer than three events on average" : undefined;
    },

    async fit(train, params, context) {
      const { numUsers, numItems } = train;
      const { sequences, ofSequence } = trainingSequences(train, params);
      const random = createRandom(context.seed);
      const parameters = createParameters(random);
      const saved = context.checkpoint?.resumeFrom?.state.arrays;
      if (saved) parameters.restore(saved);
      const table = (name: string, numRows: number, dimensions: number, deviation: number) =>
        createSparseTable({ name, numRows, dimensions, deviation, random, saved });
      const items = table("items", numItems, params.dimensions, START / Math.sqrt(params.dimensions));
      const users = params.userDimensions > 0 ? table("users", numUsers, params.userDimensions, 0) : undefined; // 0: users never met stay there
      const losses = await trained(head.name, { cell, ...params }, context, { parameters, items, users, sequences, ofSequence, numItems });
      return recurrentModel(
        { name: head.name, title: head.title, cell, params, numUsers, numItems },
        {
          parameters,
          items: items.values,
          users: users?.values,
          own: newestOfUsers(train, params.maxLength),
          hasBaskets: train.basket !== undefined,
          losses,
        },
      );
    },

    restore({ params, numUsers, numItems, state }) {
      const parameters = createParameters(createRandom(0));
      const { items: _items, users: _users, offsets: _offsets, sequence: _sequence, ...own } = state.arrays;
      parameters.restore(own);
      const { losses, hasBaskets } = z.object({ losses: z.array(z.number()), hasBaskets: z.boolean() }).parse(state.extra);
      const { dimensions, userDimensions } = params;
      return recurrentModel(
        { name: head.name, title: head.title, cell, params, numUsers, numItems },
        {
          parameters,
          items: savedFloat32(state, "items", [numItems, dimensions]),
          users: userDimensions > 0 ? savedFloat32(state, "users", [numUsers, userDimensions]) : undefined,
          own: savedSequences(state, numUsers),
          hasBaskets,
          losses,
        },
      );
    },

    partialRefit: { unavailable: "its networks are trained anew on all events; new events of known users are folded in as history" },
  };
}

/** Standard deviation of the inputs at the start: item vectors times √dimensions. */
const START = 0.6;

interface Trained {
  parameters: Parameters;
  items: SparseTable;
  users: SparseTable | undefined;
  sequences: ItemSequences;
  ofSequence: Int32Array;
  numItems: number;
}

async function trained(
  stage: string,
  params: RecurrentParams & { cell: RecurrentShape["cell"] },
  context: FitContext,
  { parameters, items, users, sequences, ofSequence, numItems }: Trained,
): Promise<number[]> {
  const encoder = createRecurrentEncoder(parameters, params, { items: items.values, users: users?.values });
  try {
    const { losses } = await trainNextItem(
      {
        stage,
        sequences,
        states: (layers, { batch, length }) => recurrentStates(layers, { batch: sizeOf([batch]), length }, params),
        network: { parameters, tables: users ? [items, users] : [items] },
        items,
        numItems,
        users: users && { table: users, ofSequence },
        encode: (histories, rows, out) =>
          encoder.encode(
            histories.map((tokens, k) => ({ tokens, user: users ? ofSequence[rows[k]] : -1 })),
            out,
          ),
        decay: params.validationShare > 0 ? "constant" : "linear",
      },
      params,
      context,
    );
    return losses;
  } finally {
    await encoder.release();
  }
}

interface RecurrentHeading {
  name: string;
  title: string;
  cell: RecurrentShape["cell"];
  params: RecurrentParams;
  numUsers: number;
  numItems: number;
}

interface RecurrentParts {
  parameters: Parameters;
  /** numItems × dimensions. */
  items: Float32Array;
  /** numUsers × userDimensions. */
  users: Float32Array | undefined;
  own: ItemSequences;
  hasBaskets: boolean;
  losses: readonly number[];
}

function recurrentModel(
  { name, title, cell, params, numUsers, numItems }: RecurrentHeading,
  { parameters, items, users, own, hasBaskets, losses }: RecurrentParts,
): FittedModel {
  const { dimensions, userDimensions } = params;
  const encoder = createRecurrentEncoder(parameters, { cell, ...params }, { items, users });
  return {
    name,
    params,
    numUsers,
    numItems,
    personal: true,
    readsBasket: true,
    losses,
    vectors: {
      dimensions,
      itemVectors: items,
      encode: (queries: readonly Query[], out) =>
        encoder.encode(
          queries.map((query) => ({
            tokens: tokensOf(query, own, { ...params, hasBaskets }),
            user: users && !query.history?.length ? (query.userIndex ?? -1) : -1,
          })),
          out,
        ),
    },
    itemSimilarityVectors: { dimensions, vectors: items },
    toOnnx: async () => recurrentOnnx({ model: name, title, parameters, shape: { cell, ...params }, items, users }),
    state(): ModelState {
      return {
        arrays: {
          ...parameters.arrays(),
          ...(users ? { users: { shape: [numUsers, userDimensions], data: users } } : {}),
          items: { shape: [numItems, dimensions], data: items },
          ...sequenceArrays(own),
        },
        extra: { losses: [...losses], hasBaskets },
      };
    },
  };
}
