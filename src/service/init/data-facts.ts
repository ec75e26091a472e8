/**
 * What a person's file says about the recipe it needs: ratings or counts, repeats, times, baskets, returns, rows without a user.
 * Called by init-recipe.ts.
 */
import type { Interactions } from "../../core/interactions.js";
import type { DataFacts } from "../../core/model.js";
import type { Dataset } from "../../data/readers/read-dataset.js";
import { repeatShare } from "../prepare-data.js";

/** Weights of so few kinds may be a scale. */
const MOST_GRADES = 21;
/** Ratings are hardly ever given twice; purchases are. */
const REPEATS_OF_RATINGS = 0.02;

export interface FileFacts extends DataFacts {
  /** The weights are grades on a scale; otherwise they count, or there are none. */
  ratings?: { least: number; most: number };
  /** Rows rejected for the reason, with an example of their line. */
  negativeWeights: number;
  emptyWeights: number;
  withoutUser: number;
  /** Events that repeat user, item and time (and basket) of an earlier one. */
  copies: number;
  numBaskets: number;
  /** From the first to the last event; undefined without times. */
  days?: number;
  /** Days to hold out that have a fair share of the events; undefined when no usual number has. */
  lastDays?: number;
  /** Of the last fifth of the events by time: the share whose user has earlier ones. */
  knownLater?: number;
}

export function fileFacts({ interactions, itemProperties, report }: Dataset): FileFacts {
  const { numUsers, numItems, numInteractions, timestamp, basket } = interactions;
  const rejected = (reason: string) => report.rejected.find((one) => one.reason === reason)?.count ?? 0;
  const repeats = repeatShare(interactions);
  return {
    numUsers,
    numItems,
    numInteractions,
    repeatShare: repeats,
    hasTimestamps: timestamp !== undefined,
    hasItemFeatures: itemProperties.category !== undefined,
    ratings: report.columns.weight !== undefined && repeats < REPEATS_OF_RATINGS ? scaleOf(interactions.weight) : undefined,
    negativeWeights: rejected("negative weight"),
    emptyWeights: rejected("no weight"),
    withoutUser: report.columns.user === undefined ? 0 : rejected("no user"),
    copies: copiesIn(interactions),
    numBaskets: basket ? new Set(basket.filter((one) => one >= 0)).size : 0,
    ...(timestamp ? timeFacts(interactions, timestamp) : {}),
  };
}

/** Few kinds of values, of which the least is not the most frequent one: counts fall off from 1, grades do not. */
function scaleOf(weight: Float32Array): { least: number; most: number } | undefined {
  const counts = new Map<number, number>();
  for (const value of weight) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
    if (counts.size > MOST_GRADES) return undefined;
  }
  const values = [...counts.keys()];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [usual] = [...counts].reduce((best, one) => (one[1] > best[1] ? one : best));
  return counts.size >= 3 && usual > least ? { least, most } : undefined;
}

/** Rows of one user are looked through together, so that only theirs are held. */
function copiesIn(data: Interactions): number {
  const { timestamp, basket, itemIndex } = data;
  const { offsets, positions } = data.eventsByUser();
  if (!timestamp && !basket) return 0; // nothing tells a copy from a repetition
  let copies = 0;
  for (let user = 0; user < data.numUsers; user++) {
    const seen = new Set<string>();
    for (let at = offsets[user]; at < offsets[user + 1]; at++) {
      const e = positions[at];
      seen.add(`${itemIndex[e]} ${timestamp?.[e]} ${basket?.[e]}`);
    }
    copies += offsets[user + 1] - offsets[user] - seen.size;
  }
  return copies;
}

function timeFacts(data: Interactions, timestamp: Float64Array): Pick<FileFacts, "days" | "lastDays" | "knownLater"> {
  const ascending = timestamp.toSorted();
  const [first, last] = [ascending[0], ascending[ascending.length - 1]];
  if (first === last) return { days: 0 };
  const dayMs = 86_400_000;
  const shareFrom = (from: number) => timestamp.reduce((count, time) => count + (time > from ? 1 : 0), 0) / timestamp.length;
  const lastDays = [28, 14, 7].find((days) => {
    const share = shareFrom(last - days * dayMs);
    return share >= 0.03 && share <= 0.25;
  });
  const cut = ascending[Math.floor(0.8 * ascending.length)];
  const early = new Uint8Array(data.numUsers);
  for (const [e, user] of data.userIndex.entries()) if (user >= 0 && timestamp[e] < cut) early[user] = 1;
  let later = 0;
  let known = 0;
  for (const [e, user] of data.userIndex.entries()) {
    if (user < 0 || timestamp[e] < cut) continue;
    later++;
    known += early[user];
  }
  return { days: (last - first) / dayMs, lastDays, knownLater: later === 0 ? 0 : known / later };
}
