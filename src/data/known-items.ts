/** Events of known items only, over the users and items that then remain. Called by service/item-table.ts. */

import type { IdMap } from "../core/interactions.js";
import { distinctIdMap } from "./id-map.js";
import { Interactions, selectEvents } from "./interactions.js";

export interface LeftOut {
  events: number;
  items: number;
  /** The first item that was left out. */
  example?: string;
}

/** Ids keep their order; users whose events are all left out are left out too. O(events + ids). */
export function onlyKnownItems(data: Interactions, known: IdMap): { data: Interactions; leftOut: LeftOut } {
  const isKnown = Uint8Array.from({ length: data.numItems }, (_, item) => (known.indexOf(data.items.idOf(item)) >= 0 ? 1 : 0));
  const keep = Int32Array.from(data.itemIndex.keys()).filter((event) => isKnown[data.itemIndex[event]] === 1);
  const unknown = [...isKnown.keys()].filter((item) => isKnown[item] === 0);
  const leftOut = {
    events: data.numInteractions - keep.length,
    items: unknown.length,
    ...(unknown.length > 0 ? { example: data.items.idOf(unknown[0]) } : {}),
  };
  if (leftOut.items === 0) return { data, leftOut };
  const kept = selectEvents(data, keep);
  const users = compact(kept.userIndex, data.users);
  const items = compact(kept.itemIndex, data.items);
  return {
    data: Interactions.fromArrays({ ...kept, userIndex: users.indexes, itemIndex: items.indexes, users: users.ids, items: items.ids }),
    leftOut,
  };
}

/** The ids that appear, in their order, and the column over them; −1 stays. */
function compact(column: Int32Array, ids: IdMap): { indexes: Int32Array; ids: IdMap } {
  const newIndex = new Int32Array(ids.size).fill(-1);
  for (const index of column) if (index >= 0) newIndex[index] = 0;
  const kept: string[] = [];
  for (let index = 0; index < ids.size; index++) if (newIndex[index] === 0) newIndex[index] = kept.push(ids.idOf(index)) - 1;
  return { indexes: column.map((index) => (index < 0 ? -1 : newIndex[index])), ids: distinctIdMap(kept) };
}
