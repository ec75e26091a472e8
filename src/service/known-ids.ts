/**
 * External ids → indexes, with errors that name the unknown ones and known ids like them. Used by `service/recommend.ts`.
 */
import { ConfigError, NotFoundError } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";
import { nearestIds } from "./search.js";

/** How many unknown ids an error names. */
const shownIds = 5;

/** Index of the one `item` or `user` asked for; throws NotFoundError. */
export async function knownIndex(kind: "item" | "user", id: string, ids: IdMap, signal?: AbortSignal): Promise<number> {
  const index = ids.indexOf(id);
  if (index >= 0) return index;
  throw new NotFoundError(`There is no ${kind} ${quoted(id)}.`, {
    hint: await hintFor(kind, id, ids, signal),
    details: { path: `${kind}Id`, got: shorten(id) },
  });
}

/** Indexes of all items of a request's list called `path`; throws ConfigError that names the first few unknown ones. */
export async function knownItems(path: string, itemIds: readonly string[], items: IdMap): Promise<number[]> {
  const indexes = itemIds.map((itemId) => items.indexOf(itemId));
  const unknown = indexes.flatMap((index, place) => (index < 0 ? [place] : []));
  if (unknown.length === 0) return indexes;
  const shown = unknown.slice(0, shownIds);
  const names = shown.map((place) => quoted(itemIds[place])).join(", ");
  const more = unknown.length > shown.length ? ` and ${unknown.length - shown.length} more` : "";
  throw new ConfigError(`${path} names ${unknown.length === 1 ? "an unknown item" : "unknown items"}: ${names}${more}.`, {
    hint: await hintFor("item", itemIds[unknown[0]], items),
    details: {
      path,
      errors: shown.map((place) => ({
        path: path === "history" ? `history[${place}].itemId` : `${path}[${place}]`,
        message: `There is no item ${quoted(itemIds[place])}.`,
      })),
    },
  });
}

async function hintFor(kind: "item" | "user", id: string, ids: IdMap, signal?: AbortSignal): Promise<string> {
  const near = await nearestIds(ids, id, signal);
  return near.length > 0 ? `Did you mean ${near.join(", ")}?` : `Search the ${kind}s for the id first (GET /v1/${kind}s?q=…).`;
}

function quoted(id: string): string {
  return JSON.stringify(shorten(id));
}

function shorten(id: string): string {
  return id.length > 80 ? `${id.slice(0, 80)}…` : id;
}
