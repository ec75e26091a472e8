/**
 * Brings tables that were read one by one over shared users and items: official folds (u1.base and u1.test), a test file
 * that came later, another system's data.
 */
import type { IdMap } from "../../core/interactions.js";
import { IdMapBuilder } from "../id-map.js";
import { Interactions } from "../interactions.js";

/**
 * The same tables over the union of their ids, in order of first appearance over the tables as given: indexes of the first
 * table stay as they are. Baskets have no ids, so those of different tables become different baskets. O(events + ids).
 */
export function alignInteractions(tables: readonly Interactions[]): Interactions[] {
  const users = joinIds(tables.map((table) => table.users));
  const items = joinIds(tables.map((table) => table.items));
  let numBaskets = 0;
  const newBaskets = (basket: Int32Array): Int32Array => {
    const first = numBaskets;
    for (const number of basket) numBaskets = Math.max(numBaskets, first + number + 1);
    return basket.map((number) => (number < 0 ? -1 : first + number));
  };
  return tables.map((table, t) =>
    Interactions.fromArrays({
      userIndex: table.userIndex.map((user) => (user < 0 ? -1 : users.newIndex[t][user])),
      itemIndex: table.itemIndex.map((item) => items.newIndex[t][item]),
      weight: table.weight,
      timestamp: table.timestamp,
      basket: table.basket && newBaskets(table.basket),
      context: table.context,
      users: users.ids,
      items: items.ids,
    }),
  );
}

/** One map over all ids, and for each map the new index of its every index. */
function joinIds(maps: readonly IdMap[]): { ids: IdMap; newIndex: Int32Array[] } {
  const builder = new IdMapBuilder();
  const newIndex = maps.map((map) => {
    const indexes = new Int32Array(map.size);
    let index = 0;
    for (const id of map.ids()) indexes[index++] = builder.add(id);
    return indexes;
  });
  return { ids: builder.build(), newIndex };
}
