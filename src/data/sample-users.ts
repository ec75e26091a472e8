/**
 * A part of the data that keeps its structure: whole users, drawn at random, with all their events. An anonymous basket counts
 * as a user. Called by service/fast.ts.
 */
import type { IdMap } from "../core/interactions.js";
import { createRandom } from "../core/random.js";
import { IdMapBuilder } from "./id-map.js";
import { Interactions, selectEvents } from "./interactions.js";

export interface SampleSize {
  /** Users are drawn until they have so many events … */
  events: number;
  /** … and are so many. */
  users: number;
}

/** Positions (ascending) of the events of the users that are drawn; of all events where there are not more. O(events). */
export function sampleUsers(data: Interactions, { events, users }: SampleSize, seed: number): Int32Array {
  const { userIndex, basket, numInteractions, numUsers } = data;
  const all = Int32Array.from({ length: numInteractions }, (_, e) => e);
  if (numInteractions <= events) return all;
  const firstRow = numUsers + (basket ? basket.reduce((most, number) => Math.max(most, number + 1), 0) : 0);
  const groupOf = (e: number) => {
    if (userIndex[e] >= 0) return userIndex[e];
    return basket && basket[e] >= 0 ? numUsers + basket[e] : firstRow + e;
  };
  const sizes = new Map<number, number>();
  for (let e = 0; e < numInteractions; e++) sizes.set(groupOf(e), (sizes.get(groupOf(e)) ?? 0) + 1);
  const drawn = new Set<number>();
  let count = 0;
  for (const group of createRandom(seed).shuffle([...sizes.keys()])) {
    if (count >= events && drawn.size >= users) break;
    drawn.add(group);
    count += sizes.get(group)!;
  }
  return all.filter((e) => drawn.has(groupOf(e)));
}

/** Positions of the events of these users, told by their ids. */
export function eventsOfUsers({ userIndex, users }: Interactions, kept: IdMap): Int32Array {
  const keeps = Array.from(users.ids(), (id) => kept.indexOf(id) >= 0);
  return Int32Array.from(userIndex.keys()).filter((e) => keeps[userIndex[e]]);
}

/** The events at `positions` over those users and items only that have some; `items` are the old indexes of the new ones. */
export function withOwnIds(data: Interactions, positions: Int32Array): { interactions: Interactions; items: Int32Array } {
  const kept = selectEvents(data, positions);
  const users = renumber(kept.users, kept.userIndex);
  const items = renumber(kept.items, kept.itemIndex);
  const { weight, timestamp, basket, context } = kept;
  const columns = { weight, timestamp, basket, context };
  const interactions = Interactions.fromArrays({
    ...columns,
    userIndex: users.index,
    itemIndex: items.index,
    users: users.ids,
    items: items.ids,
  });
  return { interactions, items: items.old };
}

/** Numbers the indexes that occur from 0 on, in their order; −1 stays. */
function renumber(ids: IdMap, index: Int32Array): { ids: IdMap; index: Int32Array; old: Int32Array } {
  const occurs = new Uint8Array(ids.size);
  for (const one of index) if (one >= 0) occurs[one] = 1;
  const newIndex = new Int32Array(ids.size);
  const builder = new IdMapBuilder();
  const old: number[] = [];
  for (let one = 0; one < ids.size; one++) {
    if (occurs[one] === 0) continue;
    newIndex[one] = builder.add(ids.idOf(one));
    old.push(one);
  }
  return { ids: builder.build(), index: index.map((one) => (one < 0 ? -1 : newIndex[one])), old: Int32Array.from(old) };
}
