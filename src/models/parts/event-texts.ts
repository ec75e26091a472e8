/**
 * Texts of events (reviews, comments) as a feature of pairs: the words of an item's training events by OTHER users, hashed, each with its
 * share of all of them. For (user, item) the user's own events of the item are taken out by exact counts, so a pair that is learned from, or
 * judged, is never told what its own event says; an item that the user has not had is described by all its training events.
 * `own` instead reads the event's very own text, in training and from `query.context`, which gives its rating away: for comparison only.
 * Called by pair-network.ts; tables and gradients as in feature-batch.ts.
 */
import { z } from "zod";
import { DataError, ModelFormatError } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { ModelState } from "../../core/model.js";
import { parseParams } from "../../core/params.js";
import type { Random } from "../../core/random.js";
import type { FeatureBatch } from "./feature-batch.js";
import { type EmbeddedField, hashOf, wordsOf } from "./feature-encoder.js";
import { savedInt32, savedLength } from "./saved-arrays.js";

export interface EventTexts {
  readonly whose: "others" | "own";
  /** One per text column. */
  readonly fields: readonly EmbeddedField[];
  readonly numEmbeddings: number;
  /** Features of pairs (−1: unknown). `own`: table rows of each pair's own text by field, for `whose: own`. */
  batch(pairs: TextPairs): FeatureBatch;
  /** Table rows of the texts of one event, by field. */
  rowsOf(texts: Readonly<Record<string, unknown>> | undefined): Int32Array[];
  /** The same of an event that was learned from. */
  rowsOfEvent(event: number): Int32Array[];
  state(): Required<ModelState>;
}

export interface TextPairs {
  user: Int32Array;
  item: Int32Array;
  own?: readonly (readonly Int32Array[])[];
  /** Chance in training that a text is taken as unknown. */
  dropped?: { share: number; random: Random };
}

/** Of every event: its user and item, and the table rows of its words, cell (event · fields + field) from offsets[cell] to offsets[cell + 1]. */
interface Words {
  names: readonly string[];
  buckets: number;
  user: Int32Array;
  item: Int32Array;
  offsets: Int32Array;
  rows: Int32Array;
}

/** The text columns of `train.context`; undefined where it has none. */
export function eventTexts(
  { context, userIndex, itemIndex }: Interactions,
  { whose, buckets }: { whose: EventTexts["whose"]; buckets: number },
): EventTexts | undefined {
  const columns = Object.entries(context ?? {}).flatMap(([name, column]): [string, readonly string[]][] =>
    Array.isArray(column) ? [[name, column]] : [],
  );
  if (!columns.some(([, column]) => column.some((text) => wordsOf(text).length > 0))) return undefined;
  const rows: number[] = [];
  const offsets = new Int32Array(itemIndex.length * columns.length + 1);
  for (let event = 0, cell = 0; event < itemIndex.length; event++)
    for (const [f, [, column]] of columns.entries()) {
      for (const row of hashedRows(column[event], f, buckets)) rows.push(row);
      offsets[++cell] = rows.length;
    }
  const names = columns.map(([name]) => name);
  return textsOf({ names, buckets, user: userIndex, item: itemIndex, offsets, rows: Int32Array.from(rows) }, whose);
}

const savedSchema = z.object({ text_columns: z.array(z.string()), text_buckets: z.int().min(1) });

/** The inverse of `state`; undefined where nothing was saved. Throws ModelFormatError. */
export function restoredTexts(state: ModelState, whose: EventTexts["whose"]): EventTexts | undefined {
  if (!state.arrays.text_items) return undefined;
  const { text_columns: names, text_buckets: buckets } = parseParams(savedSchema, state.extra, "Saved texts");
  const events = savedLength(state, "text_items");
  const words: Words = {
    names,
    buckets,
    user: savedInt32(state, "text_users", [events]),
    item: savedInt32(state, "text_items", [events]),
    offsets: savedInt32(state, "text_offsets", [events * names.length + 1]),
    rows: savedInt32(state, "text_rows", [savedLength(state, "text_rows")]),
  };
  const last = names.length * (1 + buckets);
  if (words.offsets.at(-1) !== words.rows.length || !words.rows.every((row) => row >= 0 && row < last))
    throw new ModelFormatError("The saved array text_rows points outside the embeddings.", { hint: "Train and save the model again." });
  return textsOf(words, whose);
}

/** Row 0 of a field stands for unknown. */
function hashedRows(text: string, field: number, buckets: number): Int32Array {
  const first = field * (1 + buckets);
  return Int32Array.from(wordsOf(text), (word) => first + 1 + (hashOf(word) % buckets));
}

function textsOf(words: Words, whose: EventTexts["whose"]): EventTexts {
  const { names, buckets, user, item, offsets, rows } = words;
  const fields = names.map((name, f): EmbeddedField => ({ name, firstRow: f * (1 + buckets), numRows: 1 + buckets }));
  const cellRows = (event: number, field: number) => {
    const cell = event * names.length + field;
    return rows.subarray(offsets[cell], offsets[cell + 1]);
  };
  const bags = fields.map((_, f) => countsByItem(item, (event) => cellRows(event, f)));
  const eventsOf = eventsByPair(user, item);
  const othersOf = (f: number, asker: number, wanted: number, take: (row: number, share: number) => void): boolean => {
    const all = bags[f].get(wanted);
    if (!all) return false;
    const own = new Map<number, number>();
    let total = all.total;
    for (const event of (asker >= 0 && eventsOf.get(wanted)?.get(asker)) || [])
      for (const row of cellRows(event, f)) {
        own.set(row, (own.get(row) ?? 0) + 1);
        total--;
      }
    if (total === 0) return false;
    for (const [row, count] of all.counts) {
      const others = count - (own.get(row) ?? 0);
      if (others > 0) take(row, others / total);
    }
    return true;
  };
  return {
    whose,
    fields,
    numEmbeddings: names.length * (1 + buckets),
    batch({ user: askers, item: items, own, dropped }) {
      const [tableRows, weights]: [number[], number[]] = [[], []];
      const starts = new Int32Array(items.length * fields.length + 1);
      const take = (row: number, share: number) => {
        tableRows.push(row);
        weights.push(share);
      };
      for (let k = 0, cell = 0; k < items.length; k++)
        for (const [f, { firstRow }] of fields.entries()) {
          const unknown = dropped !== undefined && dropped.share > 0 && dropped.random.uniform() < dropped.share;
          const mine = whose === "own" ? own?.[k]?.[f] : undefined;
          if (!unknown && mine?.length) for (const row of mine) take(row, 1 / mine.length);
          else if (unknown || whose === "own" || !othersOf(f, askers[k], items[k], take)) take(firstRow, 1);
          starts[++cell] = tableRows.length;
        }
      return { offsets: starts, tableRows: Int32Array.from(tableRows), weights: Float32Array.from(weights), dense: new Float32Array(0) };
    },
    rowsOf: (texts) => names.map((name, f) => hashedRows(textIn(texts, name), f, buckets)),
    rowsOfEvent: (event) => names.map((_, f) => cellRows(event, f)),
    state: () => ({
      arrays: {
        text_users: { shape: [user.length], data: user },
        text_items: { shape: [item.length], data: item },
        text_offsets: { shape: [offsets.length], data: offsets },
        text_rows: { shape: [rows.length], data: rows },
      },
      extra: { text_columns: [...names], text_buckets: buckets },
    }),
  };
}

function textIn(texts: Readonly<Record<string, unknown>> | undefined, name: string): string {
  const text = texts?.[name] ?? "";
  if (typeof text === "string") return text;
  throw new DataError(`The text ${name} of a question is ${JSON.stringify(text)}.`, { hint: "Give a string in query.context." });
}

/** Item → how often each table row occurs in its events, and their sum. */
function countsByItem(
  item: Int32Array,
  rowsOf: (event: number) => Int32Array,
): Map<number, { counts: Map<number, number>; total: number }> {
  const bags = new Map<number, { counts: Map<number, number>; total: number }>();
  item.forEach((one, event) => {
    const bag = bags.get(one) ?? { counts: new Map<number, number>(), total: 0 };
    for (const row of rowsOf(event)) {
      bag.counts.set(row, (bag.counts.get(row) ?? 0) + 1);
      bag.total++;
    }
    if (bag.total > 0) bags.set(one, bag);
  });
  // by row, so that the order in which shares are added up tells nothing of whose events came first
  for (const bag of bags.values()) bag.counts = new Map([...bag.counts].sort(([a], [b]) => a - b));
  return bags;
}

/** Item → user → events; those of unknown users belong to nobody. */
function eventsByPair(user: Int32Array, item: Int32Array): Map<number, Map<number, number[]>> {
  const found = new Map<number, Map<number, number[]>>();
  item.forEach((one, event) => {
    if (user[event] < 0) return;
    const byUser = found.get(one) ?? new Map<number, number[]>();
    const own = byUser.get(user[event]);
    if (own) own.push(event);
    else byUser.set(user[event], [event]);
    found.set(one, byUser);
  });
  return found;
}
