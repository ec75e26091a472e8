/**
 * Export as WALS: a model made of vectors as the four files that Google's WALS sample leaves: user.npy and item.npy (ids), row.npy and col.npy (their
 * factors, float32); the score of a user and an item is row · col. Ids are sorted as numpy compares strings, so that
 * `np.searchsorted(user_map, id)` finds them.
 */
import { join } from "node:path";
import { ConfigError, throwIfCancelled } from "../../core/errors.js";
import type { IdMap } from "../../core/interactions.js";
import type { Recommender } from "../../ranking/recommender.js";
import { writeDurably, writeFolderAtomically } from "../../store/durable-files.js";
import { npyBody, npyHeader, npyOfText } from "../../store/npy.js";
import { type ExportFormat, onlyEmpty } from "./format.js";

/** Users that are encoded at a time. */
const BLOCK = 4096;

export const wals: ExportFormat = {
  help: "a folder with user.npy, item.npy (sorted ids), row.npy and col.npy (their factors) for numpy",
  async write({ model }, path, { signal }) {
    const files = await factorFiles(model, signal);
    const fill = async (folder: string) => {
      for (const [name, parts] of Object.entries(files)) await writeDurably(join(folder, name), parts());
      throwIfCancelled(signal);
    };
    await writeFolderAtomically(path, fill, { mayReplace: onlyEmpty });
  },
};

/** Name → its parts; holds both factor matrices once more. Throws ConfigError where the model has no vectors, CancelledError. */
async function factorFiles(
  { name, fitted, users, items }: Recommender,
  signal?: AbortSignal,
): Promise<Record<string, () => Iterable<Uint8Array>>> {
  const { vectors } = fitted;
  if (!vectors)
    throw new ConfigError(`The model ${name} is not made of vectors, so it has no factors.`, {
      hint: "Export als, bpr or another factor model; or this one's arrays with --format npy.",
    });
  const { dimensions, itemVectors } = vectors;
  const [userOrder, itemOrder] = [sorted(users), sorted(items)];
  const row = new Float32Array(userOrder.length * dimensions);
  for (let from = 0; from < userOrder.length; from += BLOCK) {
    throwIfCancelled(signal);
    const block = userOrder.slice(from, from + BLOCK).map(({ index }) => ({ userIndex: index }));
    await vectors.encode(block, row.subarray(from * dimensions, (from + block.length) * dimensions));
  }
  const col = new Float32Array(itemOrder.length * dimensions);
  for (const [place, { index }] of itemOrder.entries())
    col.set(itemVectors.subarray(index * dimensions, (index + 1) * dimensions), place * dimensions);
  const matrix = (values: Float32Array) => () => [npyHeader("f4", [values.length / dimensions, dimensions]), npyBody(values)];
  const ids = (order: readonly { id: string }[]) => () => npyOfText(order.map(({ id }) => id));
  return { "user.npy": ids(userOrder), "item.npy": ids(itemOrder), "row.npy": matrix(row), "col.npy": matrix(col) };
}

/** By code points, which is the order of UTF-8 bytes; UTF-16 differs from it only where there are surrogates. */
function sorted(ids: IdMap): { id: string; index: number }[] {
  const all = Array.from(ids.ids(), (id, index) => ({ id, index }));
  const surrogates = all.some(({ id }) => /[\ud800-\udfff]/.test(id));
  const compare = surrogates
    ? (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
    : (a: string, b: string) => (a < b ? -1 : 1);
  return all.sort((a, b) => compare(a.id, b.id));
}
