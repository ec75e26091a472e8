/**
 * Repeat: a user's own items, most frequent first; ties and the rest of the list by popularity.
 *   score(u, i) = 1 + n(u, i) · loyalty(i)^c · demand(i)^d + tie   for the user's items, n = distinct baskets with i, each worth 2^(−age / halfLife)
 *   score(u, i) = popularity(i) / (1 + max popularity)   otherwise, so always below 1
 * `tie` < 1 orders items of equal n by popularity (0 with a half-life, loyalty or demand); loyalty and demand: parts/item-worth.ts. The
 * strong baseline of repeat-purchase data (Hu et al. 2020, Modeling personalized item frequency information for next-basket recommendation).
 */
import { z } from "zod";
import { baseOnly } from "../core/base-only.js";
import { DataError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { FittedModel, HistoryEvent, ModelDefinition, Query } from "../core/model.js";
import { createPacer } from "../core/pacer.js";
import { itemWorth } from "./parts/item-worth.js";
import { DAY, latestTimestamp } from "./parts/recency.js";
import { savedFloat32, savedInt32, savedLength } from "./parts/saved-arrays.js";
import { itemPopularity } from "./popularity.js";

const schema = z.strictObject({
  halfLifeDays: z.number().positive().optional(),
  count: z.enum(["baskets", "events"]).default("baskets"),
  loyaltyExponent: z.number().min(0).max(4).default(0),
  demandExponent: z.number().min(0).max(4).default(0),
  demandDays: z.number().positive().default(14),
});

export type RepeatParams = z.output<typeof schema>;

/** Scores of each user's own items, CSR. */
interface OwnItems {
  offsets: Int32Array;
  indices: Int32Array;
  scores: Float32Array;
}

export const repeat: ModelDefinition<RepeatParams> = {
  name: "repeat",
  title: "Repeat purchases",
  reference: "Hu, He, Gao & Zhang (2020), Modeling personalized item frequency information for next-basket recommendation",
  description: "A user's own most frequent items, optionally fading with age, then the popular ones.",
  task: "retrieve",
  params: schema,
  help: {
    halfLifeDays: {
      help: "Days after which a purchase counts half; no fading when absent.",
      range: [1, 365],
      scale: "log",
      needs: "timestamps",
    },
    count: { help: "Count distinct baskets with the item, or every event. Without baskets in the data, events count." },
    loyaltyExponent: {
      help: "How much more an item counts that is readily bought again by its buyers; 0 = not at all.",
      range: [0, 1.5],
    },
    demandExponent: {
      help: "How much more an item counts that sells well of late; 0 = not at all.",
      range: [0, 1],
      needs: "timestamps",
    },
    demandDays: {
      help: "Days before the end of the data that `demandExponent` looks at.",
      range: [3, 90],
      scale: "log",
      needs: "timestamps",
    },
  },
  complexity: 10,
  starter: true,
  unsuited: ({ repeatShare }) =>
    repeatShare < 0.02 ? `only ${(100 * repeatShare).toFixed(1)} % of the events repeat an earlier one` : undefined,
  async fit(train, params, { signal }) {
    if ((params.halfLifeDays || params.demandExponent > 0) && !train.timestamp) {
      throw new DataError("repeat has a half-life or a demand of the last days, but the data has no timestamps.", {
        hint: "Name the time column, or leave halfLifeDays and demandExponent out.",
      });
    }
    const popularity = itemPopularity(train, { count: "events" });
    const now = train.timestamp ? latestTimestamp(train.timestamp) : 0;
    const scale = { popularity, worth: itemWorth(train, params), now };
    return repeatModel(train, params, { own: await ownItems(train, params, { ...scale, signal }), scale });
  },
  restore({ params, numUsers, numItems, state }) {
    const entries = savedLength(state, "own_indices");
    const own = {
      offsets: savedInt32(state, "own_offsets", [numUsers + 1]),
      indices: savedInt32(state, "own_indices", [entries]),
      scores: savedFloat32(state, "own_scores", [entries]),
    };
    const scale = {
      popularity: savedFloat32(state, "popularity", [numItems]),
      worth: params.loyaltyExponent > 0 || params.demandExponent > 0 ? savedFloat32(state, "worth", [numItems]) : undefined,
      now: Number(state.extra?.now ?? 0),
    };
    return repeatModel({ numUsers, numItems }, params, { own, scale });
  },
  partialRefit: {
    how: "Counted again from all events, in one pass.",
    refit: ({ params }, train, context) => repeat.fit(train, params as RepeatParams, context),
  },
};

interface Scale {
  popularity: Float32Array;
  /** loyalty^c · demand^d by item; absent = all 1. */
  worth: Float32Array | undefined;
  now: number;
}

async function ownItems(
  train: Interactions,
  params: RepeatParams,
  { signal, ...scale }: Scale & { signal: AbortSignal | undefined },
): Promise<OwnItems> {
  const pace = createPacer(signal);
  const { offsets: eventOffsets, indices: eventItems, positions } = train.eventsByUser();
  const offsets = new Int32Array(train.numUsers + 1);
  const indices: number[] = [];
  const scores: number[] = [];
  for (let user = 0; user < train.numUsers; user++) {
    if (user % 256 === 0) await pace();
    const history: HistoryEvent[] = [];
    for (let e = eventOffsets[user]; e < eventOffsets[user + 1]; e++) {
      history.push({ itemIndex: eventItems[e], timestamp: train.timestamp?.[positions[e]], basket: train.basket?.[positions[e]] });
    }
    for (const [item, score] of ownScores(history, params, scale)) {
      indices.push(item);
      scores.push(score);
    }
    offsets[user + 1] = indices.length;
  }
  return { offsets, indices: Int32Array.from(indices), scores: Float32Array.from(scores) };
}

/** Item → score for one history, items ascending. */
function ownScores(
  history: readonly HistoryEvent[],
  { halfLifeDays, count }: RepeatParams,
  { popularity, worth, now }: Scale,
): [number, number][] {
  const frequency = new Map<number, number>();
  const counted = new Set<string>();
  for (const { itemIndex, timestamp, basket = -1 } of history) {
    if (count === "baskets" && basket >= 0) {
      const key = `${itemIndex} ${basket}`;
      if (counted.has(key)) continue;
      counted.add(key);
    }
    const fading = halfLifeDays ? 2 ** (-Math.max(0, now - (timestamp ?? now)) / (halfLifeDays * DAY)) : 1;
    frequency.set(itemIndex, (frequency.get(itemIndex) ?? 0) + fading);
  }
  const tie = halfLifeDays || worth ? 0 : 1; // fractions hardly tie, and another could outweigh their differences
  // within the user's own items, the rank of popularity gives a fraction below 1; equal popularity, equal fraction
  const ranks = [...new Set([...frequency.keys()].map((item) => popularity[item]))].sort((a, b) => a - b);
  const fraction = new Map(ranks.map((value, rank) => [value, rank / ranks.length]));
  return [...frequency]
    .map(([item, n]): [number, number] => [item, 1 + n * (worth?.[item] ?? 1) + tie * fraction.get(popularity[item])!])
    .sort((a, b) => a[0] - b[0]);
}

function repeatModel(
  { numUsers, numItems }: { numUsers: number; numItems: number },
  params: RepeatParams,
  { own, scale }: { own: OwnItems; scale: Scale },
): FittedModel {
  const { popularity, worth, now } = scale;
  const most = popularity.reduce((max, value) => Math.max(max, value), 0);
  const filler = popularity.map((value) => value / (1 + most));
  const scoresOf = ({ userIndex = -1, history }: Query): [number, number][] => {
    if (history?.length) return ownScores(history, params, scale);
    const [from, to] = userIndex < 0 ? [0, 0] : [own.offsets[userIndex], own.offsets[userIndex + 1]];
    return Array.from({ length: to - from }, (_, at) => [own.indices[from + at], own.scores[from + at]]);
  };
  return {
    name: "repeat",
    params,
    numUsers,
    numItems,
    personal: true,
    async scoreAll(queries, out) {
      queries.forEach((query, q) => {
        const row = out.subarray(q * numItems, (q + 1) * numItems);
        row.set(filler);
        for (const [item, score] of scoresOf(query)) row[item] = score;
      });
    },
    /** What an own item has above the popular ones comes from itself. */
    async explain(query, itemIndex) {
      const base = filler[itemIndex];
      const score = scoresOf(query).find(([item]) => item === itemIndex)?.[1];
      if (score === undefined) return baseOnly(base);
      return { score, base, itemIndex: Int32Array.of(itemIndex), contribution: Float32Array.of(score - base) };
    },
    state: () => ({
      arrays: {
        own_offsets: { shape: [numUsers + 1], data: own.offsets },
        own_indices: { shape: [own.indices.length], data: own.indices },
        own_scores: { shape: [own.scores.length], data: own.scores },
        popularity: { shape: [numItems], data: popularity },
        ...(worth ? { worth: { shape: [numItems], data: worth } } : {}),
      },
      extra: { now },
    }),
  };
}
