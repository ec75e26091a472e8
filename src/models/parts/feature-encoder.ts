/**
 * Side features under a plan (feature-plan.ts) as what a network reads. Every field of a row is one row of an embedding table, or the
 * mean of several (hashed words); numbers and vectors stand beside them. Kept in the model's state, so that serving needs indexes only.
 * feature-batch.ts gathers them.
 */
import { z } from "zod";
import { DataError, ModelFormatError } from "../../core/errors.js";
import type { FeatureColumn } from "../../core/features.js";
import type { ModelState } from "../../core/model.js";
import { parseParams } from "../../core/params.js";
import { checkRows, type FeaturePlan, type FeatureSource, type FieldPlan, featurePlanSchema } from "./feature-plan.js";
import { savedFloat32, savedInt32, savedLength } from "./saved-arrays.js";

export interface EmbeddedField {
  name: string;
  /** The row of the table that stands for unknown; the field's own rows follow. */
  firstRow: number;
  numRows: number;
}

export interface EncodedFeatures {
  readonly plan: FeaturePlan;
  /** Users or items. */
  readonly numRows: number;
  readonly fields: readonly EmbeddedField[];
  /** Rows that the embedding table must have. */
  readonly numEmbeddings: number;
  /** Table rows of each cell (row · fields.length + field), from offsets[cell] to offsets[cell + 1]; without offsets one per cell. */
  readonly offsets?: Int32Array;
  readonly tableRows: Int32Array;
  /** Numbers beside the embeddings, and their names: numRows × numDense. */
  readonly denseNames: readonly string[];
  readonly numDense: number;
  readonly dense: Float32Array;
}

/** Applies a plan, also to values that it was not learned from: what it does not know is unknown. Throws DataError. */
export function encodeFeatures(plan: FeaturePlan, source: FeatureSource): EncodedFeatures {
  checkRows(source);
  const { numRows } = source;
  const layout = layoutOf(plan);
  const { fields, numDense } = layout;
  const embedded = plan.filter((field) => widthOf(field) === 0);
  const finders = embedded.map((field, f) => finderOf(field, source, fields[f].firstRow));
  const lists: number[] = [];
  const offsets = new Int32Array(numRows * fields.length + 1);
  for (let row = 0, cell = 0; row < numRows; row++)
    for (const find of finders) {
      find(row, lists);
      offsets[++cell] = lists.length;
    }
  const dense = new Float32Array(numRows * numDense);
  let first = 0;
  for (const field of plan) {
    if (widthOf(field) > 0) writeDense(field, source, dense.subarray(first), numDense);
    first += widthOf(field);
  }
  const bags = embedded.some(({ kind }) => kind === "text");
  return { plan, numRows, ...layout, ...(bags ? { offsets } : {}), tableRows: Int32Array.from(lists), dense };
}

/** What a model keeps of them; `prefix` tells users' from items'. */
export function featureState({ plan, ...encoded }: EncodedFeatures, prefix: string): Required<ModelState> {
  const { numRows, numDense, offsets, tableRows, dense } = encoded;
  return {
    arrays: {
      [`${prefix}_rows`]: { shape: [tableRows.length], data: tableRows },
      [`${prefix}_dense`]: { shape: [numRows, numDense], data: dense },
      ...(offsets ? { [`${prefix}_offsets`]: { shape: [offsets.length], data: offsets } } : {}),
    },
    extra: { [`${prefix}_plan`]: plan },
  };
}

/** The inverse. Throws ModelFormatError when arrays are missing, misshapen or point outside the table. */
export function restoredFeatures(state: ModelState, prefix: string, numRows: number): EncodedFeatures {
  const schema = z.object({ [`${prefix}_plan`]: featurePlanSchema });
  const plan = parseParams(schema, state.extra, "Saved features")[`${prefix}_plan`];
  const layout = layoutOf(plan);
  const cells = numRows * layout.fields.length;
  const bags = plan.some(({ kind }) => kind === "text");
  const offsets = bags ? savedInt32(state, `${prefix}_offsets`, [cells + 1]) : undefined;
  const tableRows = savedInt32(state, `${prefix}_rows`, [offsets ? savedLength(state, `${prefix}_rows`) : cells]);
  const inside = tableRows.every((row) => row >= 0 && row < layout.numEmbeddings);
  if (!inside || (offsets && offsets[cells] !== tableRows.length))
    throw new ModelFormatError(`The saved array ${prefix}_rows points outside the embeddings.`, {
      hint: "Train and save the model again.",
    });
  return {
    plan,
    numRows,
    ...layout,
    ...(offsets ? { offsets } : {}),
    tableRows,
    dense: savedFloat32(state, `${prefix}_dense`, [numRows, layout.numDense]),
  };
}

/** Fields and numbers of a plan, in its order. */
function layoutOf(plan: FeaturePlan): Pick<EncodedFeatures, "fields" | "numEmbeddings" | "denseNames" | "numDense"> {
  const fields: EmbeddedField[] = [];
  const denseNames: string[] = [];
  let numEmbeddings = 0;
  for (const field of plan) {
    if (field.kind === "number" || field.kind === "vector") {
      const width = field.kind === "number" ? 1 : field.dimensions;
      for (let d = 0; d < width; d++) denseNames.push(field.kind === "number" ? field.name : `${field.name} ${d + 1}`);
      if (field.flag) denseNames.push(`${field.name} unknown`);
      continue;
    }
    const numRows = 1 + sizeOf(field);
    fields.push({ name: field.name, firstRow: numEmbeddings, numRows });
    numEmbeddings += numRows;
  }
  return { fields, numEmbeddings, denseNames, numDense: denseNames.length };
}

function sizeOf(field: Extract<FieldPlan, { kind: "id" | "category" | "buckets" | "text" }>): number {
  switch (field.kind) {
    case "id":
      return field.size;
    case "category":
      return field.names.length;
    case "buckets":
      return field.edges.length + 1;
    case "text":
      return field.buckets;
  }
}

/** How many numbers a field adds; 0 for embedded ones. */
function widthOf(field: FieldPlan): number {
  if (field.kind === "number") return field.flag ? 2 : 1;
  return field.kind === "vector" ? field.dimensions + (field.flag ? 1 : 0) : 0;
}

/** Appends the table rows of one cell. */
type Finder = (row: number, to: number[]) => void;

function finderOf(field: FieldPlan, source: FeatureSource, firstRow: number): Finder {
  switch (field.kind) {
    case "id":
      return (row, to) => to.push(source.known[row] && row < field.size ? firstRow + 1 + row : firstRow);
    case "category": {
      const values = columnOf(source, field, "category")?.values;
      const place = new Map(field.names.map((name, k) => [name, firstRow + 1 + k]));
      return (row, to) => to.push(place.get(values?.[row] as string) ?? firstRow);
    }
    case "buckets": {
      const values = columnOf(source, field, "number")?.values;
      return (row, to) => {
        const value = values?.[row] ?? Number.NaN;
        to.push(Number.isFinite(value) ? firstRow + 1 + field.edges.filter((edge) => edge <= value).length : firstRow);
      };
    }
    case "text": {
      const values = columnOf(source, field, "text")?.values;
      return (row, to) => {
        const words = wordsOf(values?.[row] ?? "");
        if (words.length === 0) to.push(firstRow);
        for (const word of words) to.push(firstRow + 1 + (hashOf(word) % field.buckets));
      };
    }
    default:
      return () => {};
  }
}

function writeDense(field: FieldPlan, source: FeatureSource, out: Float32Array, stride: number): void {
  const isNumber = field.kind === "number";
  if (!isNumber && field.kind !== "vector") return;
  const column = columnOf(source, field, isNumber ? "number" : "vector");
  const dimensions = isNumber ? 1 : field.dimensions;
  if (column?.kind === "vector" && column.dimensions !== dimensions)
    throw new DataError(`The feature ${field.name} of ${source.whose} has ${column.dimensions} dimensions, expected ${dimensions}.`, {
      hint: "Give vectors of one length.",
    });
  const mean = isNumber ? field.mean : 0;
  for (let row = 0; row < source.numRows; row++) {
    const values = column?.values.slice(row * dimensions, (row + 1) * dimensions) as Float32Array | undefined;
    if (values?.every(Number.isFinite)) for (let d = 0; d < dimensions; d++) out[row * stride + d] = (values[d] - mean) * field.scale;
    else if (field.flag) out[row * stride + dimensions] = 1;
  }
}

/** The column of a field; undefined when the table has none. Throws DataError when it is of another kind. */
function columnOf<Kind extends FeatureColumn["kind"]>(
  { features, whose }: FeatureSource,
  { name }: FieldPlan,
  kind: Kind,
): Extract<FeatureColumn, { kind: Kind }> | undefined {
  const column = features?.columns[name];
  if (column && column.kind !== kind)
    throw new DataError(`The feature ${name} of ${whose} is of kind ${column.kind}, but was ${kind} in training.`, {
      hint: "Give the columns as they were in training.",
    });
  return column as Extract<FeatureColumn, { kind: Kind }> | undefined;
}

/** Lower-case runs of letters and digits, of any script. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** FNV-1a over the UTF-8 bytes, 32 bits (Fowler, Noll & Vo). */
export function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(word)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
