/**
 * An approximate index of a model's item vectors: a hierarchical navigable small world graph (Malkov & Yashunin 2018) of the optional
 * package usearch, built once per version of a model and kept beside it, and its recall against the exact scan, which is measured
 * whenever it is opened. ranking/approximate.ts makes lists with it. Called by run.ts for recipes with `serve.index: approximate`.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ConfigError, throwIfCancelled } from "../core/errors.js";
import type { Progress, Query } from "../core/model.js";
import { createRandom } from "../core/random.js";
import type { ApproximateIndex } from "../ranking/approximate.js";
import { hasItemVectors } from "../ranking/rankers.js";
import type { Recommender } from "../ranking/recommender.js";
import { ioErrors, renameDurably, temporarySibling, writeFileAtomically } from "../store/durable-files.js";
import { fileFingerprint } from "./file-fingerprint.js";
import type { Serving } from "./recipe/route-schema.js";

/**
 * connectivity: edges of each item in the graph; more give better recall and take memory and time. expansionAdd, expansionSearch: items
 * looked at while the graph is built, and for a question. overfetch: items asked of the graph per item wanted; the best of them by exact
 * score are the list.
 */
export type ApproximateOptions = NonNullable<Serving["index"]>;

/** What an index was measured to do. */
export interface IndexReport {
  items: number;
  /** Seconds of building; absent where a built one was read. */
  buildSeconds?: number;
  /** Share of the exact list's items that its list has, over `questions`, and its worst. */
  recall: number;
  worst: number;
  topK: number;
  questions: number;
  /** Median milliseconds per question. */
  milliseconds: number;
  exactMilliseconds: number;
}

export interface OpenIndexOptions {
  /** Where the built index is kept. Default: nowhere. */
  file?: string;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Gives the package. Default: imports it. */
  load?: () => Promise<unknown>;
}

/** The parts of the package that we call; it is optional, so its own types are not imported. */
interface Package {
  Index: new (config: Record<string, unknown>) => Graph;
}

interface Graph {
  add(keys: BigUint64Array, vectors: Float32Array): void;
  search(vectors: Float32Array, count: number): { keys: BigUint64Array };
  save(path: string): void;
  load(path: string): void;
}

const QUESTIONS = 100;
const TOP_K = 10;
/** Items added at once: about 50 ms, after which others have their turn. */
const SLICE = 500;

/**
 * Builds the index of a model, or reads the one kept in `file`, lets the model answer from it, and measures it. Throws ConfigError
 * where the package is missing or the model has no vectors; CancelledError on `signal`.
 */
export async function openApproximateIndex(
  model: Recommender,
  options: ApproximateOptions,
  { file, signal, onProgress, load }: OpenIndexOptions = {},
): Promise<IndexReport> {
  const { Index } = await loadPackage(load);
  if (!hasItemVectors(model.fitted)) model.setApproximateIndex({ search: () => new Int32Array(0), overfetch: 1 }); // throws, saying why
  const { dimensions, itemVectors } = model.fitted.vectors!;
  const { connectivity, expansionAdd, expansionSearch, overfetch } = options;
  const graph = new Index({
    dimensions,
    metric: "ip",
    quantization: "f32",
    connectivity,
    expansion_add: expansionAdd,
    expansion_search: expansionSearch,
    multi: false,
  });
  const start = performance.now();
  const kept = file !== undefined && (await isRead(graph, file, signal));
  if (!kept) {
    await build(graph, itemVectors, { numItems: model.numItems, dimensions, signal, onProgress });
    if (file !== undefined) await keep(graph, file);
  }
  const buildSeconds = kept ? {} : { buildSeconds: (performance.now() - start) / 1000 };
  const index: ApproximateIndex = {
    overfetch,
    search: (query, count) => Int32Array.from(graph.search(query, count).keys, Number).filter((item) => item >= 0 && item < model.numItems),
  };
  return { items: model.numItems, ...buildSeconds, ...(await measure(model, index, signal)) };
}

async function loadPackage(load = () => import(/* @vite-ignore */ PACKAGE)): Promise<Package> {
  let imported: Package & { default?: Package };
  try {
    imported = (await load()) as Package & { default?: Package };
  } catch (cause) {
    throw new ConfigError("The approximate index needs the optional package usearch, which cannot be loaded.", {
      hint: "Add it to your project: npm install usearch@2.16.9 --ignore-scripts. Or serve by the exact scan: serve.index: exact.",
      cause,
    });
  }
  return imported.default ?? imported;
}

const PACKAGE = "usearch";

/** False for a file that is not as it was written (the package would end the process on such a one): then the index is built anew. */
async function isRead(graph: Graph, file: string, signal?: AbortSignal): Promise<boolean> {
  const sum = `${file}${CHECKSUM}`;
  if (!existsSync(file) || !existsSync(sum)) return false;
  if ((await ioErrors("read", sum, () => readFile(sum, "utf8"))) !== (await fileFingerprint(file, signal))) return false;
  graph.load(file);
  return true;
}

const CHECKSUM = ".sha256";

async function build(
  graph: Graph,
  vectors: Float32Array,
  { numItems, dimensions, signal, onProgress }: { numItems: number; dimensions: number } & Pick<OpenIndexOptions, "signal" | "onProgress">,
): Promise<void> {
  for (let from = 0; from < numItems; from += SLICE) {
    throwIfCancelled(signal);
    const to = Math.min(numItems, from + SLICE);
    graph.add(
      BigUint64Array.from({ length: to - from }, (_, k) => BigInt(from + k)),
      vectors.subarray(from * dimensions, to * dimensions),
    );
    onProgress?.({ stage: "building the approximate index", done: to, total: numItems });
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function keep(graph: Graph, file: string): Promise<void> {
  const temporary = temporarySibling(file);
  await ioErrors("write", file, async () => {
    await mkdir(dirname(file), { recursive: true });
    try {
      graph.save(temporary);
      await renameDurably(temporary, file);
      await writeFileAtomically(`${file}${CHECKSUM}`, await fileFingerprint(file));
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/** Recall and time of single questions, by the exact scan and by the index, which the model answers from afterwards. */
async function measure(
  model: Recommender,
  index: ApproximateIndex,
  signal?: AbortSignal,
): Promise<Omit<IndexReport, "items" | "buildSeconds">> {
  const questions = questionsOf(model);
  const ask = async () => {
    const lists: Int32Array[] = [];
    const times: number[] = [];
    for (const question of questions) {
      const start = performance.now();
      lists.push((await model.recommend(question, { topK: TOP_K, signal })).itemIndex);
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    return { lists, milliseconds: times[times.length >> 1] ?? 0 };
  };
  model.setApproximateIndex(undefined);
  const exact = await ask();
  model.setApproximateIndex(index);
  const approximate = await ask();
  const recalls = exact.lists.map((list, q) => {
    const found = new Set(approximate.lists[q]);
    return list.length === 0 ? 1 : list.filter((item) => found.has(item)).length / list.length;
  });
  return {
    recall: recalls.length === 0 ? 1 : recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length,
    worst: Math.min(1, ...recalls),
    topK: TOP_K,
    questions: questions.length,
    milliseconds: approximate.milliseconds,
    exactMilliseconds: exact.milliseconds,
  };
}

/** Known users, and where there are none histories of three items, drawn alike each time. */
function questionsOf(model: Recommender): Query[] {
  const random = createRandom(42);
  const users = Array.from({ length: model.numUsers }, (_, user) => user).filter((userIndex) => !model.isCold({ userIndex }));
  if (users.length > 0)
    return random
      .shuffle(users)
      .slice(0, QUESTIONS)
      .map((userIndex) => ({ userIndex }));
  const histories = Array.from({ length: QUESTIONS }, () => ({
    history: Array.from({ length: 3 }, () => ({ itemIndex: random.integer(model.numItems) })),
  }));
  return histories.filter((query) => !model.isCold(query));
}
