/**
 * Popularity: every user gets the items with the most events. Options count distinct users or weights instead,
 * look only at a last window of days or at one audience (parts/audience.ts), or let events fade with a half-life:
 *   score(i) = Σ_{events e of i within window and audience} value(e) · 2^(−age(e) / halfLife)
 * The baseline that every other model must beat, and the way to validate an evaluation.
 */
import { z } from "zod";
import { baseOnly } from "../core/base-only.js";
import { DataError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { FittedModel, ModelDefinition } from "../core/model.js";
import { AUDIENCES, audienceMask } from "./parts/audience.js";
import { DAY, latestTimestamp } from "./parts/recency.js";
import { savedFloat32 } from "./parts/saved-arrays.js";

const schema = z.strictObject({
  count: z.enum(["events", "users", "weight"]).default("events"),
  audience: z.enum(AUDIENCES).default("all"),
  windowDays: z.number().positive().optional(),
  halfLifeDays: z.number().positive().optional(),
});

export type PopularityParams = z.output<typeof schema>;

export const popularity: ModelDefinition<PopularityParams> = {
  name: "popularity",
  title: "Popularity",
  reference: "Cremonesi, Koren & Turrin (2010), Performance of recommender algorithms on top-N recommendation tasks (TopPop)",
  description: "The same list for everyone: the items with the most events, optionally of the last days or fading with age.",
  task: "retrieve",
  params: schema,
  help: {
    count: { help: "What counts: each event, each distinct user once, or the weight of each event." },
    audience: {
      help: "Whose events count: everyone's, those of guests (events without a user), or the first basket of each user (newcomers).",
      tune: false,
    },
    windowDays: {
      help: "Only events of the last days before the end of the data; all when absent.",
      range: [1, 365],
      scale: "log",
      needs: "timestamps",
    },
    halfLifeDays: {
      help: "Days after which an event counts half; no fading when absent.",
      range: [1, 365],
      scale: "log",
      needs: "timestamps",
    },
  },
  complexity: 0,
  starter: true,
  async fit(train, params) {
    return popularityModel(train, params, itemPopularity(train, params));
  },
  restore({ params, numUsers, numItems, state }) {
    return popularityModel({ numUsers, numItems }, params, savedFloat32(state, "score", [numItems, 1]));
  },
  partialRefit: {
    how: "Counted again from all events, in one pass.",
    refit: ({ params }, train, context) => popularity.fit(train, params as PopularityParams, context),
  },
};

/** Popularity of each item under the given counting; float64 sums rounded once. */
export function itemPopularity(
  train: Interactions,
  { count = "events", audience = "all", windowDays, halfLifeDays }: Partial<PopularityParams> = {},
): Float32Array {
  const { numItems, numInteractions, itemIndex, userIndex, weight, timestamp } = train;
  if ((windowDays || halfLifeDays) && !timestamp) {
    throw new DataError("popularity has a window or half-life, but the data has no timestamps.", {
      hint: "Name the time column, or leave windowDays and halfLifeDays out.",
    });
  }
  const now = timestamp ? latestTimestamp(timestamp) : 0;
  const counts = audienceMask(train, audience);
  const sums = new Float64Array(numItems);
  const pairs = new Set<number>();
  for (let e = 0; e < numInteractions; e++) {
    if (counts[e] === 0) continue;
    const age = timestamp ? now - timestamp[e] : 0;
    if (windowDays && age >= windowDays * DAY) continue;
    if (count === "users" && userIndex[e] >= 0) {
      const pair = userIndex[e] * numItems + itemIndex[e];
      if (pairs.has(pair)) continue;
      pairs.add(pair);
    }
    const fading = halfLifeDays ? 2 ** (-age / (halfLifeDays * DAY)) : 1;
    sums[itemIndex[e]] += fading * (count === "weight" ? weight[e] : 1);
  }
  return Float32Array.from(sums);
}

function popularityModel(size: { numUsers: number; numItems: number }, params: PopularityParams, score: Float32Array): FittedModel {
  return {
    name: "popularity",
    params,
    numUsers: size.numUsers,
    numItems: size.numItems,
    personal: false,
    vectors: {
      dimensions: 1, // score(i) = 1 · score(i)
      itemVectors: score,
      encode: async (queries, out) => void out.fill(1, 0, queries.length),
    },
    explain: async (_query, itemIndex) => baseOnly(score[itemIndex]),
    state: () => ({ arrays: { score: { shape: [size.numItems, 1], data: score } } }),
  };
}
