/**
 * Builds `Interactions` from columns, checks them once, and computes their CSR forms on first use.
 * Readers, splits and tests come through here; after it, hot loops need no checks.
 */
import { DataError } from "../core/errors.js";
import {
  type Columns,
  type Csr,
  type EventCsr,
  type IdMap,
  type Interactions as InteractionsType,
  MAX_WEIGHT,
} from "../core/interactions.js";
import { groupEvents, sumDuplicates, transpose } from "./csr.js";
import { numberedIds } from "./id-map.js";

export type Interactions = InteractionsType;

export interface InteractionArrays {
  /** Dense user index of each event; −1 = unknown user. */
  userIndex: ArrayLike<number>;
  /** Dense item index of each event. */
  itemIndex: ArrayLike<number>;
  /** From 0 to 1e30. Default: all 1. */
  weight?: ArrayLike<number>;
  /** Milliseconds since 1970 UTC. */
  timestamp?: ArrayLike<number>;
  /** Dense basket number; −1 = none. */
  basket?: ArrayLike<number>;
  context?: Columns;
  /** Default: the size of `users`, else the largest index + 1. */
  numUsers?: number;
  /** Default: the size of `items`, else the largest index + 1. */
  numItems?: number;
  /** Default: the ids "0", "1", … */
  users?: IdMap;
  items?: IdMap;
}

export const Interactions = {
  /**
   * Interactions from parallel columns. Typed arrays of the right type are taken over without a copy.
   * Throws DataError on unequal lengths, indexes out of range, and weights that are negative or not finite
   * (the first offending row is named). O(events).
   */
  fromArrays(arrays: InteractionArrays): InteractionsType {
    const numInteractions = arrays.itemIndex.length;
    const userIndex = int32Column("userIndex", arrays.userIndex, numInteractions);
    const itemIndex = int32Column("itemIndex", arrays.itemIndex, numInteractions);
    const numUsers = arrays.users?.size ?? arrays.numUsers ?? largest(userIndex) + 1;
    const numItems = arrays.items?.size ?? arrays.numItems ?? largest(itemIndex) + 1;
    checkRange("userIndex", userIndex, { least: -1, size: numUsers });
    checkRange("itemIndex", itemIndex, { least: 0, size: numItems });
    const weight = float32Weights(arrays.weight, numInteractions);
    const timestamp = arrays.timestamp && float64Column("timestamp", arrays.timestamp, numInteractions);
    const basket = arrays.basket && int32Column("basket", arrays.basket, numInteractions);
    for (const [name, column] of Object.entries(arrays.context ?? {})) checkLength(`context.${name}`, column.length, numInteractions);

    const eventsByUser = once(() =>
      groupEvents({ numRows: numUsers, numColumns: numItems, rows: userIndex, columns: itemIndex, values: weight }),
    );
    const eventsByItem = once(() =>
      groupEvents({ numRows: numItems, numColumns: numUsers, rows: itemIndex, columns: userIndex, values: weight }),
    );
    const matrixByUser = once((): Csr => sumDuplicates(eventsByUser()));
    const matrixByItem = once((): Csr => transpose(matrixByUser()));
    return {
      numUsers,
      numItems,
      numInteractions,
      userIndex,
      itemIndex,
      weight,
      timestamp,
      basket,
      context: arrays.context,
      users: arrays.users ?? numberedIds(numUsers),
      items: arrays.items ?? numberedIds(numItems),
      eventsByUser: eventsByUser as () => EventCsr,
      eventsByItem,
      matrixByUser,
      matrixByItem,
    };
  },
};

/** The events at `positions` (ascending keeps input order), over the same users and items. */
export function selectEvents(data: InteractionsType, positions: Int32Array): InteractionsType {
  const context = data.context && Object.fromEntries(Object.entries(data.context).map(([name, column]) => [name, take(column, positions)]));
  return Interactions.fromArrays({
    userIndex: take(data.userIndex, positions),
    itemIndex: take(data.itemIndex, positions),
    weight: take(data.weight, positions),
    timestamp: data.timestamp && take(data.timestamp, positions),
    basket: data.basket && take(data.basket, positions),
    context,
    users: data.users,
    items: data.items,
  });
}

function take<Column extends Columns[string]>(column: Column, positions: Int32Array): Column {
  if (Array.isArray(column)) return Array.from(positions, (p) => column[p]) as unknown as Column;
  const source = column as Float32Array;
  const out = new (source.constructor as Float32ArrayConstructor)(positions.length);
  for (let i = 0; i < positions.length; i++) out[i] = source[positions[i]];
  return out as unknown as Column;
}

function once<T>(compute: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= compute();
    return value;
  };
}

function largest(indexes: Int32Array): number {
  let max = -1;
  for (let e = 0; e < indexes.length; e++) if (indexes[e] > max) max = indexes[e];
  return max;
}

function checkLength(name: string, got: number, expected: number): void {
  if (got !== expected)
    throw new DataError(`Column ${name} has ${got} values, but itemIndex has ${expected}.`, {
      hint: "All columns must have the same length.",
    });
}

function int32Column(name: string, values: ArrayLike<number>, length: number): Int32Array {
  checkLength(name, values.length, length);
  if (values instanceof Int32Array) return values;
  const out = Int32Array.from(values);
  for (let e = 0; e < length; e++) {
    if (out[e] !== values[e])
      throw new DataError(`${name} is ${values[e]} at row ${e}.`, { hint: "Indexes are whole numbers below 2^31.", details: { line: e } });
  }
  return out;
}

function float64Column(name: string, values: ArrayLike<number>, length: number): Float64Array {
  checkLength(name, values.length, length);
  const out = values instanceof Float64Array ? values : Float64Array.from(values);
  for (let e = 0; e < length; e++) {
    if (!Number.isFinite(out[e]))
      throw new DataError(`${name} is ${out[e]} at row ${e}.`, {
        hint: "Timestamps are milliseconds since 1970 UTC.",
        details: { line: e },
      });
  }
  return out;
}

function float32Weights(values: ArrayLike<number> | undefined, length: number): Float32Array {
  if (values === undefined) return new Float32Array(length).fill(1);
  checkLength("weight", values.length, length);
  const out = values instanceof Float32Array ? values : Float32Array.from(values);
  for (let e = 0; e < length; e++) {
    if (!(out[e] >= 0 && out[e] <= MAX_WEIGHT)) {
      throw new DataError(`weight is ${values[e]} at row ${e}.`, {
        hint: "Weights are numbers from 0 to 1e30; drop or correct the row.",
        details: { line: e },
      });
    }
  }
  return out;
}

function checkRange(name: string, indexes: Int32Array, { least, size }: { least: number; size: number }): void {
  for (let e = 0; e < indexes.length; e++) {
    if (indexes[e] < least || indexes[e] >= size) {
      throw new DataError(`${name} is ${indexes[e]} at row ${e}, outside [${least}, ${size}).`, { details: { line: e } });
    }
  }
}
