/**
 * Markov: the next item from the last ones. Tables of what follows (and precedes) what, pairs up to `window` apart weighted 1/gap:
 *   score(j) = popularity + Σ_c place(c)^(−historyDecay) · (F[c, j] + reverse · p · R[c, j]) + own items + own steps
 * over the last items c, place 1 = newest: the basket in progress, then the history. p = how likely the asker goes either way (parts/markov-context.ts),
 * F and R: parts/transitions.ts. Rendle et al. (2010), Factorizing personalized Markov chains, without the factors.
 */
import { z } from "zod";
import { DataError } from "../core/errors.js";
import type { Csr, Interactions } from "../core/interactions.js";
import type { FittedModel, ModelDefinition } from "../core/model.js";
import { basketMarks, OWN_EVENTS } from "./parts/markov-context.js";
import { createMarkovScorer } from "./parts/markov-scores.js";
import { savedFloat32, savedInt32, savedLength, savedUint8 } from "./parts/saved-arrays.js";
import { eventSequences, type Sequences } from "./parts/sequences.js";
import { type TransitionRows, transitionTables } from "./parts/transitions.js";
import { itemPopularity } from "./popularity.js";

const schema = z.strictObject({
  window: z.int().min(1).max(100).default(10),
  historyDecay: z.number().min(0).max(10).default(1),
  exponent: z.number().positive().max(1).default(0.5),
  smoothing: z.number().min(0).default(10),
  popularityDiscount: z.number().min(0).max(1).default(0.05),
  reverse: z.number().min(0).max(2).default(0.8),
  acrossBaskets: z.number().min(0).max(1).default(0.05),
  ownItems: z.number().min(0).default(0.1),
  ownSteps: z.number().min(0).default(0.5),
  halfLifeDays: z.number().positive().optional(),
  neighbours: z.int().min(1).max(100_000).default(200),
});

export type MarkovParams = z.output<typeof schema>;

const POPULARITY = 1e-3; // score of the most popular item by itself: it orders what no transition reaches

export const markov: ModelDefinition<MarkovParams> = {
  name: "markov",
  title: "Markov chain",
  reference: "Rendle, Freudenthaler & Schmidt-Thieme (2010), Factorizing personalized Markov chains for next-basket recommendation",
  description:
    "The next item from the last ones, with the basket in progress, the user's own items and popularity as backoff. Similar items are those that follow. Without timestamps the input order counts.",
  task: "sequence",
  params: schema,
  help: {
    window: {
      help: "Two items count as a step when they are at most this many places apart, weighted 1/gap.",
      range: [1, 20],
      scale: "log",
    },
    historyDecay: {
      help: "How fast items further back fade: the one at place p from the newest counts 1/p^historyDecay.",
      range: [0.5, 3],
    },
    exponent: {
      help: "Below 1, many items that agree outweigh a single strong step; 1 = plain transition probabilities.",
      range: [0.2, 1],
    },
    smoothing: { help: "Added to the denominator: lowers steps that rest on few pairs.", range: [0.5, 50], scale: "log" },
    popularityDiscount: { help: "How much items that follow everything are held back.", range: [0, 0.3] },
    reverse: {
      help: "Weight of steps taken the other way round, as far as the basket or history itself goes either way.",
      range: [0, 1.5],
    },
    acrossBaskets: { help: "Weight of steps from one basket to the next; 1 where each event is a basket of its own.", range: [0, 1] },
    ownItems: { help: "Weight of the user's own items, by how often; matters where seen items are not left out.", range: [0, 1] },
    ownSteps: { help: "Weight of the steps that the user took before, within baskets.", range: [0, 2] },
    halfLifeDays: {
      help: "Days after which a step counts half; no fading when absent.",
      range: [20, 700],
      scale: "log",
      needs: "timestamps",
    },
    neighbours: { help: "Items kept in each row of the tables, the strongest.", range: [50, 1000], scale: "log", tune: false },
  },
  complexity: 12,
  starter: true,
  unsuited: ({ hasTimestamps }) => (hasTimestamps ? undefined : "without timestamps nobody knows what came after what"),
  async fit(train, params, { signal, onProgress }) {
    if (params.halfLifeDays && !train.timestamp) {
      throw new DataError("markov has a half-life, but the data has no timestamps.", {
        hint: "Name the time column, or leave halfLifeDays out.",
      });
    }
    const sequences = eventSequences(train);
    const tables = await transitionTables(train, sequences, params, { signal, onProgress });
    const popularity = itemPopularity(train, { count: "events" });
    const most = popularity.reduce((max, count) => Math.max(max, count), 1);
    const base = popularity.map((count) => (POPULARITY * count) / most);
    return markovModel(
      { params, numUsers: train.numUsers, seen: train.matrixByUser() },
      { ...tables, base, own: ownEvents(train, sequences) },
    );
  },
  restore({ params, numUsers, numItems, state, seen }) {
    const rows = (name: string): TransitionRows => {
      const entries = savedLength(state, `${name}_items`);
      return {
        offsets: savedInt32(state, `${name}_offsets`, [numItems + 1]),
        indices: savedInt32(state, `${name}_items`, [entries]),
        values: savedFloat32(state, `${name}_values`, [entries]),
      };
    };
    const events = savedLength(state, "own_items");
    const own = {
      offsets: savedInt32(state, "own_offsets", [numUsers + 1]),
      items: savedInt32(state, "own_items", [events]),
      baskets: savedUint8(state, "own_baskets", [events]),
    };
    const base = savedFloat32(state, "base", [numItems]);
    return markovModel({ params, numUsers, seen }, { forward: rows("forward"), reverse: rows("reverse"), base, own });
  },
  partialRefit: {
    how: "Counted again from all events, in two passes.",
    refit: ({ params }, train, context) => markov.fit(train, params as MarkovParams, context),
  },
};

/** The last events of every user in order, CSR. */
interface OwnEvents {
  offsets: Int32Array;
  items: Int32Array;
  baskets: Uint8Array;
}

function ownEvents({ numUsers, itemIndex, basket }: Interactions, { offsets: from, positions }: Sequences): OwnEvents {
  const offsets = new Int32Array(numUsers + 1);
  for (let user = 0; user < numUsers; user++) offsets[user + 1] = offsets[user] + Math.min(OWN_EVENTS, from[user + 1] - from[user]);
  const items = new Int32Array(offsets[numUsers]);
  const baskets = new Uint8Array(offsets[numUsers]);
  for (let user = 0; user < numUsers; user++) {
    const last = positions.subarray(from[user + 1] - (offsets[user + 1] - offsets[user]), from[user + 1]);
    items.set(
      last.map((e) => itemIndex[e]),
      offsets[user],
    );
    baskets.set(basketMarks(Array.from(last, (e) => basket?.[e])), offsets[user]);
  }
  return { offsets, items, baskets };
}

function markovModel(
  { params, numUsers, seen }: { params: MarkovParams; numUsers: number; seen: Csr },
  { forward, reverse, base, own }: { forward: TransitionRows; reverse: TransitionRows; base: Float32Array; own: OwnEvents },
): FittedModel {
  const numItems = base.length;
  const ownOf = (user: number) => ({
    items: own.items.subarray(own.offsets[user] ?? 0, own.offsets[user + 1] ?? 0),
    baskets: own.baskets.subarray(own.offsets[user] ?? 0, own.offsets[user + 1] ?? 0),
  });
  const saved = (name: string, { offsets, indices, values }: TransitionRows) => ({
    [`${name}_offsets`]: { shape: [numItems + 1], data: offsets },
    [`${name}_items`]: { shape: [indices.length], data: indices },
    [`${name}_values`]: { shape: [values.length], data: values },
  });
  return {
    name: "markov",
    params,
    numUsers,
    numItems,
    personal: true,
    readsBasket: true,
    ...createMarkovScorer(params, { forward, reverse, base, ownOf, seen }),
    state: () => ({
      arrays: {
        ...saved("forward", forward),
        ...saved("reverse", reverse),
        base: { shape: [numItems], data: base },
        own_offsets: { shape: [numUsers + 1], data: own.offsets },
        own_items: { shape: [own.items.length], data: own.items },
        own_baskets: { shape: [own.baskets.length], data: own.baskets },
      },
    }),
  };
}
