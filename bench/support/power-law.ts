/**
 * Deterministic interactions of the size and shape of a large film data set: users' counts are log-normal, items are drawn by
 * a power law of their rank, pairs are distinct. Kept in the cache folder as raw arrays, which the peer reads too.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Csr } from "#dist/core/interactions.js";
import { createRandom } from "#dist/core/random.js";
import { transpose } from "#dist/data/csr.js";

export interface PowerLawShape {
  numUsers: number;
  numItems: number;
  numPairs: number;
  seed: number;
  /** Every item is of one of so many tastes, every user likes up to three and takes others' items with a chance of 0.1. Default: no tastes. */
  tastes?: number;
}

/** How time grows with the data; a tenth of the pairs and a quarter of users and items with --quick. */
export function scalingShapes(quick: boolean): PowerLawShape[] {
  const shapes = [
    { numUsers: 10_000, numItems: 6_000, numPairs: 1_000_000, seed: 42 },
    { numUsers: 40_000, numItems: 12_000, numPairs: 5_000_000, seed: 42 },
    { numUsers: 148_000, numItems: 28_000, numPairs: 20_000_000, seed: 42 },
  ];
  if (!quick) return shapes;
  return shapes.map(({ numUsers, numItems, numPairs, seed }) => ({
    numUsers: Math.round(numUsers / 4),
    numItems: Math.round(numItems / 4),
    numPairs: numPairs / 10,
    seed,
  }));
}

/** 18.6M as a case's name says it. */
export const millions = (numPairs: number): string => `${Number((numPairs / 1e6).toFixed(2))}M`;

export interface PowerLawData {
  matrixByUser: Csr;
  matrixByItem: Csr;
  /** Holds {user,item}-{offsets,indices}.i32 and {user,item}-values.f32. */
  folder: string;
}

export async function powerLawData(shape: PowerLawShape, cacheFolder: string): Promise<PowerLawData> {
  const { numUsers, numItems, numPairs, seed, tastes } = shape;
  const folder = path.join(cacheFolder, `power-law-${numUsers}-${numItems}-${numPairs}-${seed}${tastes ? `-${tastes}` : ""}`);
  if (!existsSync(folder)) {
    const temporary = `${folder}.${process.pid}`;
    await mkdir(temporary, { recursive: true });
    const byItem = transpose(generate(shape)); // two transpositions put the columns of every row in order
    await save(temporary, "item", byItem);
    await save(temporary, "user", transpose(byItem));
    await rename(temporary, folder);
  }
  return {
    matrixByUser: await load(folder, "user", numUsers, numItems),
    matrixByItem: await load(folder, "item", numItems, numUsers),
    folder,
  };
}

function generate({ numUsers, numItems, numPairs, seed, tastes = 0 }: PowerLawShape): Csr {
  const random = createRandom(seed);
  const offsets = userOffsets(numUsers, numPairs, numItems, random);
  // Cumulative popularity of rank r: (r + 20)^−0.9; ranks are dealt to items at random.
  const cumulative = new Float64Array(numItems);
  let total = 0;
  for (let rank = 0; rank < numItems; rank++) {
    total += (rank + 20) ** -0.9;
    cumulative[rank] = total;
  }
  const itemOfRank = random.shuffle(Int32Array.from({ length: numItems }, (_, item) => item));
  const indices = new Int32Array(numPairs);
  const values = new Float32Array(numPairs);
  const takenBy = new Int32Array(numItems).fill(-1);
  for (let user = 0; user < numUsers; user++) {
    const liked = Array.from({ length: tastes > 0 ? 3 : 0 }, () => random.integer(tastes));
    for (let entry = offsets[user]; entry < offsets[user + 1]; ) {
      const item = itemOfRank[firstAtLeast(cumulative, random.uniform() * total)];
      if (takenBy[item] === user || (tastes > 0 && !liked.includes(item % tastes) && random.uniform() >= 0.1)) continue;
      takenBy[item] = user;
      indices[entry] = item;
      values[entry++] = 1 + random.integer(5);
    }
  }
  return { numRows: numUsers, numColumns: numItems, offsets, indices, values };
}

/** Log-normal counts scaled to the wanted sum, at most a quarter of the items each. */
function userOffsets(numUsers: number, numPairs: number, numItems: number, random: { normal(): number }): Int32Array {
  const weights = Float64Array.from({ length: numUsers }, () => Math.exp(1.1 * random.normal()));
  const scale = numPairs / weights.reduce((sum, weight) => sum + weight, 0);
  const counts = Int32Array.from(weights, (weight) => Math.min(Math.max(1, Math.round(weight * scale)), numItems >> 2));
  let left = numPairs - counts.reduce((sum, count) => sum + count, 0);
  for (let user = 0; left !== 0; user = (user + 1) % numUsers) {
    const step = Math.sign(left);
    if (counts[user] + step < 1 || counts[user] + step > numItems >> 2) continue;
    counts[user] += step;
    left -= step;
  }
  const offsets = new Int32Array(numUsers + 1);
  for (let user = 0; user < numUsers; user++) offsets[user + 1] = offsets[user] + counts[user];
  return offsets;
}

function firstAtLeast(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function save(folder: string, side: string, { offsets, indices, values }: Csr): Promise<void> {
  await writeArray(path.join(folder, `${side}-offsets.i32`), offsets);
  await writeArray(path.join(folder, `${side}-indices.i32`), indices);
  await writeArray(path.join(folder, `${side}-values.f32`), values);
}

async function load(folder: string, side: string, numRows: number, numColumns: number): Promise<Csr> {
  const bytes = async (name: string) => {
    const buffer = await readFile(path.join(folder, `${side}-${name}`));
    return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) as ArrayBuffer;
  };
  return {
    numRows,
    numColumns,
    offsets: new Int32Array(await bytes("offsets.i32")),
    indices: new Int32Array(await bytes("indices.i32")),
    values: new Float32Array(await bytes("values.f32")),
  };
}

export async function writeArray(file: string, values: Int32Array | Float32Array): Promise<void> {
  await writeFile(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

export async function readFloats(file: string): Promise<Float32Array> {
  const buffer = await readFile(file);
  return new Float32Array(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) as ArrayBuffer);
}
