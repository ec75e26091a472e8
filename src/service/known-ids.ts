/**
 * External ids → indexes, with errors that name the unknown ones and known ids like them. Used by `service/recommend.ts`.
 */
import { ConfigError, NotFoundError } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";
import { nearestIds } from "./search.js";

/** How many unknown ids an error names. */
const shownIds = 5;

export interface KnownIndexOptions {
  signal?: AbortSignal;
  /** What the error calls the place of the id. Default: itemId or userId. */
  path?: string;
}

/** Index of the one `item` or `user` asked for; throws NotFoundError. */
export async function knownIndex(
  kind: "item" | "user",
  id: string,
  ids: IdMap,
  { signal, path = `${kind}Id` }: KnownIndexOptions = {},
): Promise<number> {
  const index = ids.indexOf(id);
  if (index >= 0) return index;
  const { hint, search } = await adviceFor(kind, id, ids, signal);
  throw new NotFoundError(`There is no ${kind} ${quoted(id)}.`, { hint, details: { path, got: shorten(id), search } });
}

/** Indexes of all items of a request's list called `path`; throws ConfigError that names the first few unknown ones. */
export async function knownItems(path: string, itemIds: readonly string[], items: IdMap): Promise<number[]> {
  const indexes = itemIds.map((itemId) => items.indexOf(itemId));
  const unknown = indexes.flatMap((index, place) => (index < 0 ? [place] : []));
  if (unknown.length === 0) return indexes;
  const shown = unknown.slice(0, shownIds);
  const names = shown.map((place) => quoted(itemIds[place])).join(", ");
  const more = unknown.length > shown.length ? ` and ${unknown.length - shown.length} more` : "";
  const { hint, search } = await adviceFor("item", itemIds[unknown[0]], items);
  throw new ConfigError(`${path} names ${unknown.length === 1 ? "an unknown item" : "unknown items"}: ${names}${more}.`, {
    hint,
    details: {
      path,
      search,
      errors: shown.map((place) => ({
        path: path === "history" ? `history[${place}].itemId` : `${path}[${place}]`,
        message: `There is no item ${quoted(itemIds[place])}.`,
      })),
    },
  });
}

/** `search` names the collection to search where no known id is like it; a server says how. */
async function adviceFor(kind: "item" | "user", id: string, ids: IdMap, signal?: AbortSignal): Promise<{ hint: string; search?: string }> {
  const near = await nearestIds(ids, id, signal);
  if (near.length > 0) return { hint: `Did you mean ${near.join(", ")}?` };
  return { hint: `No known ${kind} is like it; ids are those of the data, letter for letter.`, search: `${kind}s` };
}

function quoted(id: string): string {
  return JSON.stringify(shorten(id));
}

function shorten(id: string): string {
  return id.length > 80 ? `${id.slice(0, 80)}…` : id;
}
