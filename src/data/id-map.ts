/**
 * External string ids ↔ dense int32 indexes, in order of first appearance.
 * `createIdMap` for a fixed list, `IdMapBuilder` while reading, `numberedIds` when there are no ids.
 */
import { DataError, NotFoundError } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";

/** A map over a fixed list of distinct ids; throws DataError on a repeated one. */
export function createIdMap(ids: readonly string[]): IdMap {
  const builder = new IdMapBuilder();
  for (const id of ids) {
    const index = builder.size;
    if (builder.add(id) !== index) throw new DataError(`The id ${JSON.stringify(id)} appears twice.`, { hint: "Ids must be distinct." });
  }
  return builder.build();
}

/** A map over ids that are known to be distinct. The table for `indexOf` is built on its first call: a reader's millions may never need it. */
export function distinctIdMap(ids: readonly string[]): IdMap {
  let indexes: Map<string, number> | undefined;
  return {
    size: ids.length,
    idOf: (index) => {
      checkIndex(index, ids.length);
      return ids[index];
    },
    indexOf: (id) => {
      indexes ??= new Map(ids.map((known, index) => [known, index]));
      return indexes.get(id) ?? -1;
    },
    ids: () => ids.values(),
  };
}

/** The ids "0", "1", … of a table that has only indexes. Takes no memory per id. */
export function numberedIds(size: number): IdMap {
  return {
    size,
    idOf: (index) => {
      checkIndex(index, size);
      return String(index);
    },
    indexOf: (id) => {
      const index = /^(0|[1-9]\d*)$/.test(id) ? Number(id) : -1;
      return index < size ? index : -1;
    },
    *ids() {
      for (let i = 0; i < size; i++) yield String(i);
    },
  };
}

/** Collects ids while reading: `add` gives the index of an id, new ones are numbered on. */
export class IdMapBuilder {
  #indexes = new Map<string, number>();
  #ids: string[] = [];

  get size(): number {
    return this.#ids.length;
  }

  add(id: string): number {
    const known = this.#indexes.get(id);
    if (known !== undefined) return known;
    const index = this.#ids.length;
    this.#indexes.set(id, index);
    this.#ids.push(id);
    return index;
  }

  build(): IdMap {
    const indexes = this.#indexes;
    const ids = this.#ids;
    return {
      size: ids.length,
      idOf: (index) => {
        checkIndex(index, ids.length);
        return ids[index];
      },
      indexOf: (id) => indexes.get(id) ?? -1,
      ids: () => ids.values(),
    };
  }
}

function checkIndex(index: number, size: number): void {
  if (!(Number.isInteger(index) && index >= 0 && index < size))
    throw new NotFoundError(`There is no id at index ${index}; there are ${size} ids.`);
}
