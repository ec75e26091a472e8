/**
 * Export for SageMaker: model.tar.gz, which a container finds unpacked in /opt/ml/model. It is a workspace with one run of one model, so
 *   tastemaker serve --workspace /opt/ml/model --host 0.0.0.0 --port 8080
 * answers from it: by the routes of the recipe and, where it declares none at these addresses, GET /ping and POST /invocations.
 */

import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type TarEntry, writeTarGz } from "../../store/tar.js";
import { type Route, routeSchema } from "../recipe/route-schema.js";
import type { RunResult } from "../run-result.js";
import type { ExportFormat } from "./format.js";

/** What a container must answer: is it ready, and lists for each of `instances`. */
const containerRoutes: readonly Route[] = [
  { path: "/ping", answers: "ready" },
  {
    path: "/invocations",
    method: "POST",
    answers: "recommend",
    each: "instances",
    request: { user: "user", history: "history", include: "include", exclude: "exclude", topK: "topK", excludeSeen: "excludeSeen" },
    response: { predictions: [{ items: [{ item: "$itemId", score: "$score" }] }] },
  },
].map((route) => routeSchema.parse(route));

export const sagemaker: ExportFormat = {
  help: "model.tar.gz for SageMaker: unpacked it is a workspace that `tastemaker serve` answers from, with /ping and /invocations",
  extension: ".tar.gz",
  async write({ label, manifest, folder, result }, path, { signal }) {
    const { recipe, key } = result;
    const place = `${recipe}/models/${label}`;
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = found.filter((one) => one.isFile()).map((one) => relative(folder, join(one.parentPath, one.name)));
    const entries: TarEntry[] = [
      { name: `${recipe}/runs/${key}.json`, text: `${JSON.stringify(runOf(label, manifest.version, result), undefined, 2)}\n` },
      { name: `${place}/active.json`, text: `${JSON.stringify({ version: manifest.version })}\n` },
      ...files.sort().map((file) => ({ name: `${place}/${manifest.version}/${file.split(sep).join("/")}`, file: join(folder, file) })),
    ];
    await writeTarGz(path, entries, { signal });
  },
};

/** The run with that model alone. A log is left out: the folder may not be written to. */
function runOf(label: string, version: string, result: RunResult): RunResult {
  const own = (result.serving?.routes ?? []).filter((route) => route.answers !== "recommend" || (route.fixed.model ?? label) === label);
  const routes = [...own, ...containerRoutes.filter(({ path }) => !own.some((route) => route.path === path))];
  const models = result.models.filter((model) => model.label === label).map((model) => ({ ...model, version }));
  return { ...result, models, champion: label, serving: { model: label, routes, log: undefined } };
}
