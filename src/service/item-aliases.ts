/**
 * Further ids of items, such as the ISBNs of a book's other editions: an item property lists them, separated by blanks, and requests may
 * use them like the item's own id. Called by recommend.ts.
 */
import { ConfigError } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";
import { nameHint } from "../core/nearest-names.js";

export interface ItemNames {
  /** The id that the model knows the item by; any other id as it is. */
  ownId(id: string): string;
}

/** `property`: the name of the one that lists them; without it every id is its own. Throws ConfigError for a property that is not there. */
export function itemNames(
  items: IdMap,
  properties: Readonly<Record<string, readonly (string | number | null)[]>>,
  property: string | undefined,
): ItemNames {
  if (property === undefined) return { ownId: (id) => id };
  if (!Object.hasOwn(properties, property))
    throw new ConfigError(`There is no item property ${JSON.stringify(property)} with the other ids of items.`, {
      hint: nameHint(property, Object.keys(properties)),
      details: { path: "serve.aliases", got: property, allowed: Object.keys(properties) },
    });
  const ownIds = new Map<string, string>();
  for (const [index, value] of properties[property].entries())
    for (const alias of String(value ?? "").split(/\s+/))
      if (alias !== "" && items.indexOf(alias) < 0) ownIds.set(alias, items.idOf(index));
  return { ownId: (id) => ownIds.get(id) ?? id };
}

/** Throws ConfigError when two of the ids are one item; `path` is what it calls the list. */
export function checkDistinct(path: string, ids: readonly string[], { ownId }: ItemNames): void {
  const own = ids.map(ownId);
  const repeated = own.findIndex((id, place) => own.indexOf(id) < place);
  if (repeated < 0) return;
  const first = own.indexOf(own[repeated]);
  const alike = ids[first] === ids[repeated] ? "" : `, as ${JSON.stringify(ids[first])}`;
  throw new ConfigError(`${path}[${repeated}] is ${JSON.stringify(ids[repeated])}, the same item as ${path}[${first}]${alike}.`, {
    hint: "Name different items.",
    details: {
      path: `${path}[${repeated}]`,
      got: ids[repeated],
      errors: [{ path: `${path}[${repeated}]`, message: "Repeats an earlier entry." }],
    },
  });
}
