/**
 * Scoring of a network over pairs as one ONNX file: indexes of a user and an item per row in, one score per row out. What the network
 * reads of each user and item is written out as a table; texts of events are those of all users. Called by pair-model.ts.
 */
import { scoringFile } from "../../nn/onnx/scoring.js";
import { add, multiply } from "../../nn/ops/elementwise.js";
import { gather } from "../../nn/ops/gather.js";
import { integerMath } from "../../nn/ops/indexes.js";
import { reshape } from "../../nn/ops/shape.js";
import { input, provide } from "../../nn/tensor.js";
import { fillPairs, fillTexts, type PairParts, pairContext, pairFeeds, pairGraph } from "./pair-network.js";

export interface PairFile {
  model: string;
  title: string;
  parts: PairParts;
  numUsers: number;
  numItems: number;
  /** Score of the file = mean + deviation · score of the network. */
  mean: number;
  deviation: number;
}

export function pairOnnx({ model, title, parts, numUsers, numItems, mean, deviation }: PairFile): Uint8Array {
  const context = pairContext(parts);
  const { graph } = context;
  const rows = { user: numUsers + 1, item: numItems + 1 }; // the first stands for unknown ones
  const most = Math.max(rows.user, rows.item);
  const feeds = pairFeeds(parts, most);
  const every = (count: number) => Int32Array.from({ length: count }, (_, row) => row - 1);
  fillPairs(parts, feeds, { user: every(rows.user), item: every(rows.item) });
  fillTexts(parts, feeds, { user: new Int32Array(rows.item).fill(-1), item: every(rows.item) });
  const tables: Record<string, Float32Array> = {};
  for (const [name, values] of Object.entries(feeds)) {
    const side = name.startsWith("user") ? "user" : "item";
    const width = values.length / most;
    const table = `${name} by index`;
    tables[table] = values.subarray(0, rows[side] * width);
    const index = integerMath("Add", input(graph, side, ["batch"], "int64"), 1);
    provide(graph, name, gather(input(graph, table, [rows[side], width]), index));
  }
  const { score } = pairGraph(parts, "batch", context);
  return scoringFile({
    model,
    title,
    scores: reshape(add(multiply(score, deviation), mean), ["batch"]),
    parameters: parts.parameters,
    tables,
    inputs: { user: "int64 [batch]: user indexes, −1 for unknown ones.", item: "int64 [batch]: item indexes, −1 for unknown ones." },
    facts: { numUsers, numItems },
  });
}
