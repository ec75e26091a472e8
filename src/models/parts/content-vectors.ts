/**
 * Items as unit vectors of what is known of them, for cosine similarity. Every column is a block of the vector with the same say
 * (all number columns together are one block); what is unknown of an item is left out of its blocks.
 *   numbers, vectors: as they are, or each dimension less its mean and over its deviation (`standardize`)
 *   categories:       one dimension per name, or signed hashing of the name where there are more names than dimensions
 *   texts:            TF-IDF of the words, signed hashing (Weinberger et al. 2009, Feature hashing for large scale multitask learning)
 * Called by content.ts.
 */
import { DataError } from "../../core/errors.js";
import type { FeatureColumn, Features } from "../../core/features.js";
import { hashOf, wordsOf } from "./feature-encoder.js";

export interface ContentVectors {
  dimensions: number;
  /** numRows × dimensions, rows of length 1, or 0 where nothing is known. */
  vectors: Float32Array;
}

export interface ContentOptions {
  standardize: boolean;
  /** Dimensions of a text, and most dimensions of a category. */
  hashDimensions: number;
}

/** One column, or all numbers: writes a row's values, false where nothing is known. */
interface Block {
  width: number;
  write(row: number, out: Float64Array): boolean;
}

/** Throws DataError when there is no column, or all values of a vector column are unknown. */
export function contentVectors({ numRows, columns }: Features, options: ContentOptions): ContentVectors {
  const blocks = blocksOf(columns, numRows, options);
  if (blocks.length === 0)
    throw new DataError("The features of items have no column.", { hint: "Name at least one, such as colour: category." });
  const dimensions = blocks.reduce((sum, { width }) => sum + width, 0);
  const vectors = new Float32Array(numRows * dimensions);
  for (let row = 0; row < numRows; row++) {
    const own = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    let first = 0;
    for (const { width, write } of blocks) {
      const values = new Float64Array(width);
      if (write(row, values)) own.set(ofLengthOne(values), first);
      first += width;
    }
    own.set(ofLengthOne(own));
  }
  return { dimensions, vectors };
}

function blocksOf(columns: Features["columns"], numRows: number, options: ContentOptions): Block[] {
  const numbers: (FeatureColumn & { kind: "number" })[] = [];
  const blocks: Block[] = [];
  for (const column of Object.values(columns)) {
    if (column.kind === "number") numbers.push(column);
    else if (column.kind === "vector") blocks.push(denseBlock(column, numRows, options));
    else if (column.kind === "category") blocks.push(categoryBlock(column.values, options));
    else blocks.push(textBlock(column.values, options));
  }
  if (numbers.length > 0) {
    const values = new Float64Array(numRows * numbers.length);
    numbers.forEach((column, d) => {
      for (let row = 0; row < numRows; row++) values[row * numbers.length + d] = column.values[row];
    });
    blocks.unshift(denseBlock({ dimensions: numbers.length, values }, numRows, options));
  }
  return blocks;
}

/** Unknown values stand at the mean; a row of unknown values alone is unknown. */
function denseBlock(
  { dimensions, values }: { dimensions: number; values: Float32Array | Float64Array },
  numRows: number,
  { standardize }: ContentOptions,
): Block {
  const mean = new Float64Array(dimensions);
  const scale = new Float64Array(dimensions).fill(1);
  for (let d = 0; d < dimensions; d++) {
    let [count, sum, squares] = [0, 0, 0];
    for (let row = 0, at = d; row < numRows; row++, at += dimensions) {
      if (!Number.isFinite(values[at])) continue;
      count++;
      sum += values[at];
    }
    mean[d] = count > 0 ? sum / count : 0;
    if (!standardize) continue;
    for (let row = 0, at = d; row < numRows; row++, at += dimensions)
      if (Number.isFinite(values[at])) squares += (values[at] - mean[d]) ** 2;
    scale[d] = squares > 0 ? Math.sqrt(count / squares) : 0;
  }
  return {
    width: dimensions,
    write(row, out) {
      let known = false;
      for (let d = 0; d < dimensions; d++) {
        const value = values[row * dimensions + d];
        const isKnown = Number.isFinite(value);
        known ||= isKnown;
        if (standardize) out[d] = isKnown ? (value - mean[d]) * scale[d] : 0;
        else out[d] = isKnown ? value : mean[d];
      }
      return known;
    },
  };
}

function categoryBlock(names: readonly (string | null)[], { hashDimensions }: ContentOptions): Block {
  const places = new Map<string, number>();
  for (const name of names) if (name !== null && !places.has(name)) places.set(name, places.size);
  const hashed = places.size > hashDimensions;
  return {
    width: hashed ? hashDimensions : Math.max(1, places.size),
    write(row, out) {
      const name = names[row];
      if (name === null || name === undefined) return false;
      if (hashed) addHashed(name, 1, out);
      else out[places.get(name)!] = 1;
      return true;
    },
  };
}

function textBlock(texts: readonly (string | null)[], { hashDimensions }: ContentOptions): Block {
  const holders = new Map<string, number>();
  let numTexts = 0;
  for (const text of texts) {
    const words = new Set(wordsOf(text ?? ""));
    if (words.size > 0) numTexts++;
    for (const word of words) holders.set(word, (holders.get(word) ?? 0) + 1);
  }
  return {
    width: hashDimensions,
    write(row, out) {
      const words = wordsOf(texts[row] ?? "");
      for (const word of words) addHashed(word, Math.log((1 + numTexts) / (1 + holders.get(word)!)) + 1, out);
      return words.length > 0;
    },
  };
}

/** The lowest bit of the hash gives the sign, so that words which meet cancel as often as they add up. */
function addHashed(name: string, weight: number, out: Float64Array): void {
  const hash = hashOf(name);
  out[(hash >>> 1) % out.length] += hash & 1 ? weight : -weight;
}

function ofLengthOne<Values extends Float32Array | Float64Array>(values: Values): Values {
  let squares = 0;
  for (const value of values) squares += value * value;
  if (!(squares > 0)) return values.fill(0) as Values;
  const length = Math.sqrt(squares);
  return values.map((value) => value / length) as Values;
}
