/**
 * A recommender as named arrays, and back: the model's own under "model.", what all models have beside them.
 * Node-free: `model-folder.ts` keeps the arrays on disk, `remote-model.ts` fetches them.
 */
import type { IdMap } from "../core/interactions.js";
import type { ModelState, SavedArray } from "../core/model.js";
import { restoreRecommender } from "../models/registry.js";
import type { Recommender } from "../ranking/recommender.js";
import { decodeIds, encodeIds } from "./id-arrays.js";
import { damaged, MANIFEST, type Manifest } from "./manifest-schema.js";

export type Arrays = ModelState["arrays"];

/** All arrays of a recommender, by the names under which they are stored. */
export function recommenderArrays(model: Recommender): Arrays {
  return { ...prefixed("model", model.fitted.state().arrays), ...commonArrays(model) };
}

/** What every recommender has, whatever its model. */
function commonArrays({ seen, popularity, users, items }: Recommender): Arrays {
  return {
    "seen.offsets": flat(seen.offsets),
    "seen.indices": flat(seen.indices),
    "seen.values": flat(seen.values),
    popularity: flat(popularity),
    ...idArrays("users", users),
    ...idArrays("items", items),
  };
}

/** Ids as the arrays `<name>.lengths` and `<name>.utf8`. */
export function idArrays(name: string, ids: IdMap): Arrays {
  const { lengths, utf8 } = encodeIds(ids);
  return { [`${name}.lengths`]: flat(lengths), [`${name}.utf8`]: flat(utf8) };
}

function flat(data: SavedArray): Arrays[string] {
  return { shape: [data.length], data };
}

function prefixed(prefix: string, arrays: Arrays): Arrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${prefix}.${name}`, array]));
}

/** The inverse of `recommenderArrays`; `where` names the source in errors. Throws ModelFormatError when an array is missing. */
export function recommenderFromArrays(
  manifest: Manifest,
  arrays: Arrays,
  { where, threads }: { where: string; threads?: number },
): Recommender {
  const take = <T extends SavedArray>(name: string): T => {
    const array = arrays[name];
    if (!array) throw damaged(`${where}/${MANIFEST}`, { got: `no array ${name}`, expected: "all arrays of a model" });
    return array.data as T;
  };
  const users = decodeIds({ lengths: take("users.lengths"), utf8: take("users.utf8") }, "users");
  const items = decodeIds({ lengths: take("items.lengths"), utf8: take("items.utf8") }, "items");
  return restoreRecommender(
    {
      name: manifest.model,
      params: manifest.params,
      state: { arrays: unprefixed("model", arrays), extra: manifest.extra },
      seen: {
        numRows: users.size,
        numColumns: items.size,
        offsets: take("seen.offsets"),
        indices: take("seen.indices"),
        values: take("seen.values"),
      },
      popularity: take("popularity"),
      users,
      items,
      runtime: manifest.runtime,
    },
    { threads },
  );
}

function unprefixed(prefix: string, arrays: Arrays): Arrays {
  const own = Object.entries(arrays).filter(([name]) => name.startsWith(`${prefix}.`));
  return Object.fromEntries(own.map(([name, array]) => [name.slice(prefix.length + 1), array]));
}
