/** A small model with ids of its own, saved as the examples expect it. */
import { fit } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import type { Exportable } from "../../src/service/export/format.js";
import { saveModel } from "../../src/store/model-folder.js";
import { fixture } from "../support/fixture.js";

export async function saveSmallModel(folder: string): Promise<Exportable> {
  const model = await fit("als", fixture({ events: 800 }), { factors: 12 }, { seed: 3, threads: 1 });
  return { label: "als", model, manifest: await saveModel(model, folder), folder, result: {} as never };
}

export async function idsFor(model: Recommender, query: Parameters<Recommender["recommend"]>[0], topK = 10): Promise<string[]> {
  const { itemIndex } = await model.recommend(query, { topK });
  return Array.from(itemIndex, (item) => model.items.idOf(item));
}
