/**
 * A trained network as one ONNX file that scores by itself: raw indexes in, scores and the best items out, parameters and tables inside,
 * operators of the standard only, described in the file itself. Called by the `toOnnx` of models.
 */
import { integerMath, topK } from "../ops/indexes.js";
import type { Parameters } from "../parameters.js";
import { input, type Tensor } from "../tensor.js";
import { emitOnnx } from "./emit.js";

export interface ScoringFile {
  /** Registered name of the model, and what it is. */
  model: string;
  title: string;
  /** batch × items, higher is better; or batch, for models that score one item per row. */
  scores: Tensor;
  /** Those that the graph uses are written into the file. */
  parameters?: Parameters;
  /** Tables that are inputs of the graph and written into the file, by name. */
  tables?: Readonly<Record<string, ArrayLike<number>>>;
  /** A sentence for each input that stays one. */
  inputs: Readonly<Record<string, string>>;
  /** Sizes and settings, for programs. */
  facts: Readonly<Record<string, string | number>>;
}

const TOP_K: Record<string, string> = {
  topK: "int64 [1]: length of the list of the best items, at most all of them.",
  scores: "Score of every item by its index; higher is better. Items of the history are not left out.",
  topItems: "Indexes of the best items, best first, equal scores by ascending index.",
  topScores: "Their scores.",
};

/** The bytes of the file. Throws ConfigError when they would be more than ONNX allows (2 GiB). */
export function scoringFile({ model, title, scores, parameters, tables = {}, inputs, facts }: ScoringFile): Uint8Array {
  const { graph } = scores.node;
  const ranked = scores.shape.length === 2;
  const outputs: Record<string, Tensor> = { scores };
  if (ranked) {
    const count = integerMath("Min", input(graph, "topK", [1], "int64"), scores.shape[1] as number);
    const { values, columns } = topK(scores, count, "topK");
    Object.assign(outputs, { topItems: columns, topScores: values });
  }
  const help: Record<string, string> = { ...(ranked ? TOP_K : { scores: "One score per row of the batch." }), ...inputs };
  const line = (name: string) => `  ${name}: ${help[name]}`;
  const documentation = [
    `${title} (${model}), trained by Tastemaker. Users and items are indexes from 0, in the order of the training data's ids.`,
    "Inputs",
    ...[...Object.keys(inputs), ...(ranked ? ["topK"] : [])].map(line),
    "Outputs",
    ...Object.keys(outputs).map(line),
  ].join("\n");
  const values = { ...Object.fromEntries((parameters?.list ?? []).map(({ name, values }) => [name, values])), ...tables };
  const metadata = Object.fromEntries(Object.entries({ model, ...facts }).map(([key, value]) => [key, String(value)]));
  return emitOnnx(outputs, { standard: true, values, documentation, metadata, help }).bytes;
}
