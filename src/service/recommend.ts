/**
 * The use case "recommend": answers a person's question in external ids with one of the loaded models.
 * Ids become indexes, a known user's training events and the given history become one query, and the answer
 * is mapped back with each item's properties and source. Called by the server and the command line.
 */
import { ConfigError, NotFoundError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";
import { predictsWeights } from "../models/registry.js";
import type { Recommendation } from "../ranking/recommender.js";
import { knowsSimilar } from "../ranking/similar.js";
import { type Asker, checkWhole, queryOf } from "./asker.js";
import { explain } from "./explain.js";
import { checkDistinct, itemNames } from "./item-aliases.js";
import { knownIndex, knownItems } from "./known-ids.js";
import type { ItemProperties, LoadedModel, RecommendAnswer, RecommendService, RecommendServiceOptions } from "./recommend-service.js";
import { searchTable } from "./search.js";

const maxTopK = 1000;
const maxLimit = 100;

/** Throws ConfigError without models, with two of one name, or properties of another length; NotFoundError for an unknown `defaultModel`. */
export function createRecommendService({
  models,
  defaultModel,
  itemProperties = {},
  aliases,
  excludeSeen: excludeSeenByDefault = true,
}: RecommendServiceOptions): RecommendService {
  const byName = new Map(models.map((loaded) => [loaded.name, loaded]));
  if (models.length === 0) throw new ConfigError("There is no model to answer with.", { hint: "Train or load at least one model." });
  if (byName.size < models.length)
    throw new ConfigError("Two loaded models have the same name.", { hint: "Give each model its own name." });

  const pick = (name: string): LoadedModel => {
    const loaded = byName.get(name);
    if (loaded) return loaded;
    throw new NotFoundError(`There is no model ${JSON.stringify(name)}.`, {
      hint: nameHint(name, byName.keys()),
      details: { path: "model", got: name, allowed: [...byName.keys()] },
    });
  };
  const pickKnowing = (kind: "item" | "user", name: string | undefined): LoadedModel =>
    name === undefined ? ([main, ...models].find(({ model }) => knowsSimilar(model.fitted, kind)) ?? main) : pick(name);
  const main = pick(defaultModel ?? models[0].name);
  const { users, items, numItems, seen, popularity } = main.model;
  const columns = Object.entries(itemProperties);
  for (const [name, values] of columns) {
    if (values.length !== numItems)
      throw new ConfigError(`The item property ${name} has ${values.length} values, but the model knows ${numItems} items.`, {
        hint: "Properties are listed by item index.",
      });
  }
  const named = itemNames(items, itemProperties, aliases);
  const ownIds = (ids: readonly string[]) => ids.map(named.ownId);
  const ownHistory = (history: Asker["history"]) => history?.map((event) => ({ ...event, itemId: named.ownId(event.itemId) }));
  let byPopularity: Int32Array | undefined; // made by the first search: a million items take a second
  const itemTable = () => {
    byPopularity ??= Int32Array.from({ length: numItems }, (_, index) => index).sort((a, b) => popularity[b] - popularity[a] || a - b);
    return { ids: items, order: byPopularity, texts: columns.map(([, values]) => values) };
  };
  const itemsSeen = (userIndex: number) => seen.offsets[userIndex + 1] - seen.offsets[userIndex];

  const withProperties = (itemId: string): { properties?: ItemProperties } => {
    const index = columns.length === 0 ? -1 : items.indexOf(itemId);
    if (index < 0) return {};
    return { properties: Object.fromEntries(columns.map(([name, values]) => [name, jsonValue(values[index])])) };
  };
  const answer = ({ itemIndex, score, source }: Recommendation, { model, version }: LoadedModel): RecommendAnswer => ({
    items: Array.from(itemIndex, (index, place) => {
      const itemId = model.items.idOf(index);
      return { itemId, score: score[place], source, ...withProperties(itemId) };
    }),
    modelVersion: version,
  });

  return {
    async recommend(
      {
        user,
        history,
        basket,
        topK,
        excludeSeen = excludeSeenByDefault,
        include,
        exclude,
        model: name = main.name,
        unknownUser = "popular",
        ...more
      },
      { signal, names = {} } = {},
    ) {
      const loaded = pick(name);
      if (more.distinctHistory)
        checkDistinct(
          names.history ?? "history",
          (history ?? []).map(({ itemId }) => itemId),
          named,
        );
      const { model } = loaded;
      if (unknownUser !== "popular" && user !== undefined && !history?.length && !basket?.length && model.users.indexOf(user) < 0) {
        if (unknownUser === "empty") return { items: [], modelVersion: loaded.version };
        await knownIndex("user", user, model.users, { signal, path: names.user });
      }
      const allowed = include && (await knownItems(names.include ?? "include", ownIds(include), model.items));
      if (allowed?.length === 0) {
        throw new ConfigError("include is empty, so no item is allowed.", {
          hint: "Name at least one item, or leave include out to allow all.",
          details: { path: "include" },
        });
      }
      const asker = { user, history: ownHistory(history), basket: basket && ownIds(basket) };
      const recommendation = await model.recommend(await queryOf(model, asker, names), {
        topK: checkWhole("topK", topK ?? 10, maxTopK),
        excludeSeen,
        include: allowed,
        exclude: exclude && (await knownItems(names.exclude ?? "exclude", ownIds(exclude), model.items)),
        signal,
      });
      return answer(recommendation, loaded);
    },

    async similarItems(itemId, { topK = 10, model: name } = {}, { signal } = {}) {
      const loaded = pickKnowing("item", name);
      const itemIndex = await knownIndex("item", named.ownId(itemId), loaded.model.items, { signal });
      return answer(await loaded.model.similarItems(itemIndex, { topK: checkWhole("topK", topK, maxTopK), signal }), loaded);
    },

    async similarUsers(userId, { topK = 10, model: name } = {}, { signal } = {}) {
      const { model, version } = pickKnowing("user", name);
      const asked = await knownIndex("user", userId, model.users, { signal });
      const { userIndex, score } = await model.similarUsers(asked, { topK: checkWhole("topK", topK, maxTopK), signal });
      return {
        users: Array.from(userIndex, (index, place) => ({ userId: model.users.idOf(index), score: score[place] })),
        modelVersion: version,
      };
    },

    async explain(request, { signal } = {}) {
      const asked = { ...request, item: named.ownId(request.item), history: ownHistory(request.history) };
      return explain(pick(request.model ?? main.name), asked, { models, withProperties, signal });
    },

    async searchItems({ q = "", limit = 20 } = {}, { signal } = {}) {
      const found = await searchTable(itemTable(), q.trim(), { limit: checkWhole("limit", limit, maxLimit), signal });
      return { items: found.map((index) => items.idOf(index)).map((itemId) => ({ itemId, ...withProperties(itemId) })) };
    },

    async listUsers({ q = "", limit = 20 } = {}, { signal } = {}) {
      checkWhole("limit", limit, maxLimit);
      const found: number[] = [];
      for (const active of [true, false]) {
        const accepts = (userIndex: number) => itemsSeen(userIndex) > 0 === active;
        if (found.length < limit)
          found.push(...(await searchTable({ ids: users }, q.trim(), { limit: limit - found.length, accepts, signal })));
      }
      return { users: found.map((userIndex) => ({ userId: users.idOf(userIndex), itemsSeen: itemsSeen(userIndex) })) };
    },

    async userItems(userId, { limit = 20 } = {}, { signal } = {}) {
      checkWhole("limit", limit, maxLimit);
      const userIndex = await knownIndex("user", userId, users, { signal });
      const entries = Array.from({ length: itemsSeen(userIndex) }, (_, at) => seen.offsets[userIndex] + at);
      entries.sort((a, b) => seen.values[b] - seen.values[a] || a - b);
      return {
        items: entries.slice(0, limit).map((entry) => {
          const itemId = items.idOf(seen.indices[entry]);
          return { itemId, weight: seen.values[entry], ...withProperties(itemId) };
        }),
      };
    },

    listModels: () => ({
      excludeSeen: excludeSeenByDefault,
      models: models.map((loaded) => ({
        name: loaded.name,
        version: loaded.version,
        default: loaded === main,
        similarItems: knowsSimilar(loaded.model.fitted, "item"),
        similarUsers: knowsSimilar(loaded.model.fitted, "user"),
        explanations: loaded.model.fitted.explain !== undefined,
        ratings: predictsWeights(loaded.model.name, { ...loaded.model.params }),
        numUsers: loaded.model.numUsers,
        numItems: loaded.model.numItems,
        metrics: loaded.metrics ?? {},
        createdAt: loaded.createdAt,
      })),
    }),

    dispose() {
      for (const { model } of models) model.dispose();
    },
  };
}

function jsonValue(value: string | number | null | undefined): string | number | null {
  return value === undefined || (typeof value === "number" && !Number.isFinite(value)) ? null : value;
}
