/**
 * All models by name, and the one way to fit or restore them. Everything else (command line, server, tuning)
 * reads `listModels` and never names a concrete model.
 */
import { ConfigError, DataError, NotFoundError, throwIfCancelled } from "../core/errors.js";
import type { Csr, IdMap, Interactions } from "../core/interactions.js";
import type { FitContext, FittedModel, ModelDefinition, ModelState, RuntimeUse, SavedModel } from "../core/model.js";
import { nameHint } from "../core/nearest-names.js";
import { parseParams } from "../core/params.js";
import { defaultThreads } from "../core/threads.js";
import { openDevice } from "../nn/device.js";
import { createRecommender } from "../ranking/create-recommender.js";
import type { Recommender } from "../ranking/recommender.js";
import { als } from "./als.js";
import { bias } from "./bias.js";
import { blend } from "./blend.js";
import { bpr } from "./bpr.js";
import { content } from "./content.js";
import { dcn } from "./dcn.js";
import { deepfm } from "./deepfm.js";
import { ease } from "./ease.js";
import { gfCf } from "./gf-cf.js";
import { gru } from "./gru.js";
import { itemKnn } from "./item-knn.js";
import { logisticMf } from "./logistic-mf.js";
import { lstm } from "./lstm.js";
import { markov } from "./markov.js";
import { multVae } from "./mult-vae.js";
import { itemPopularity, popularity } from "./popularity.js";
import { repeat } from "./repeat.js";
import { rp3beta } from "./rp3beta.js";
import { sasrec } from "./sasrec.js";
import { slim } from "./slim.js";
import { svd } from "./svd.js";
import { svdPlusPlus } from "./svd-plus-plus.js";
import { twoStage } from "./two-stage.js";
import { twoTower } from "./two-tower.js";
import { ultragcn } from "./ultragcn.js";
import { userKnn } from "./user-knn.js";
import { userRetrieval } from "./user-retrieval.js";
import { warp } from "./warp.js";

const definitions = [
  popularity,
  repeat,
  als,
  bias,
  bpr,
  warp,
  logisticMf,
  blend,
  itemKnn,
  content,
  svd,
  svdPlusPlus,
  ultragcn,
  rp3beta,
  userKnn,
  ease,
  markov,
  slim,
  gfCf,
  sasrec,
  multVae,
  gru,
  lstm,
  twoTower,
  userRetrieval,
  twoStage,
  dcn,
  deepfm,
] as unknown as ModelDefinition[];

/** All registered models. */
export function listModels(): readonly ModelDefinition[] {
  return definitions;
}

/** The definition of `name`; throws NotFoundError with the nearest names. */
export function getModel(name: string): ModelDefinition {
  const found = definitions.find((definition) => definition.name === name);
  if (found) return found;
  const known = definitions.map((definition) => definition.name);
  throw new NotFoundError(`There is no model ${JSON.stringify(name)}.`, {
    hint: nameHint(name, known),
    details: { got: name, allowed: known },
  });
}

/** Whether the model's scores predict the weights of events (ratings). */
export function predictsWeights(name: string, params: Record<string, unknown>): boolean {
  const { task, predictsWeights: predicts, params: schema } = getModel(name);
  return predicts ? predicts(parseParams(schema, params, `Model ${name}`), predictsWeights) : task === "rate";
}

/**
 * Fits a model and returns the recommender around it.
 * Defaults: seed 42, threads = the cores of the machine (results do not depend on them).
 * Throws NotFoundError (unknown model), ConfigError (wrong parameter or device), DataError (no events), KernelError (the model needs a
 * package that is not there), CancelledError (`signal`).
 */
export async function fit(
  name: string,
  data: Interactions,
  params: Record<string, unknown> = {},
  { seed = 42, threads = defaultThreads(), ...rest }: Partial<Omit<FitContext, "fitModel">> = {},
): Promise<Recommender> {
  const definition = getModel(name);
  const checked = parseParams(definition.params, params, `Model ${name}`);
  checkWhole("seed", seed, 0);
  checkWhole("threads", threads, 1);
  if (data.numInteractions === 0 && definition.requires !== "itemFeatures")
    throw new DataError(`There are no interactions that the model ${name} could learn from.`, {
      hint: "Check the file and what was rejected; of items alone, only a model such as content can be fitted.",
    });
  throwIfCancelled(rest.signal);
  const used: Used = {};
  await openRuntime(definition, rest.device, used);
  const fitted = await definition.fit(data, checked, fitContext({ seed, threads, ...rest }, used));
  return recommenderOf(fitted, data, { threads, runtime: used.runtime });
}

/** What a model and its parts have used. */
interface Used {
  runtime?: RuntimeUse;
}

async function openRuntime({ needs }: ModelDefinition, device: string | undefined, used: Used): Promise<void> {
  if (needs === "onnxruntime") used.runtime ??= await openDevice(device);
}

/**
 * Takes in more data without a full retrain: `data` holds all events, and its users and items begin with those of `model`.
 * Throws ConfigError where the model has no such way (its `partialRefit` says why) or the users or items do not fit.
 */
export async function refit(
  model: Recommender,
  data: Interactions,
  { seed = 42, threads = defaultThreads(), ...rest }: Partial<Omit<FitContext, "fitModel">> = {},
): Promise<Recommender> {
  const { partialRefit } = getModel(model.name);
  if ("unavailable" in partialRefit)
    throw new ConfigError(`The model ${model.name} cannot be refitted in part: ${partialRefit.unavailable}.`, { hint: "Fit it again." });
  checkBeginsWith("users", model.users, data.users);
  checkBeginsWith("items", model.items, data.items);
  throwIfCancelled(rest.signal);
  const used: Used = { runtime: model.runtime };
  const fitted = await partialRefit.refit(model.fitted, data, fitContext({ seed, threads, ...rest }, used));
  return recommenderOf(fitted, data, { threads, runtime: used.runtime });
}

/** A model made of models fits its parts on the same terms; steps and checkpoints stay its own. */
function fitContext(context: Omit<FitContext, "fitModel">, used: Used): FitContext {
  const { onStep: _onStep, checkpoint: _checkpoint, ...shared } = context;
  return {
    ...context,
    fitModel: async (name, train, params) => {
      const definition = getModel(name);
      await openRuntime(definition, context.device, used);
      return definition.fit(train, parseParams(definition.params, params, `Model ${name}`), fitContext(shared, used));
    },
  };
}

function checkBeginsWith(what: string, old: IdMap, now: IdMap): void {
  let index = 0;
  for (const id of old.ids()) {
    if (index >= now.size || now.idOf(index) !== id)
      throw new ConfigError(`The ${what} of the new data do not begin with those of the model (at ${index}: ${id}).`, {
        hint: `Keep the old ${what} first, in their order, and add new ones behind them.`,
      });
    index++;
  }
}

/** The recommender around a model that was fitted, or is being fitted (`onStep`), on `data`. */
export function recommenderOf(
  fitted: FittedModel,
  data: Interactions,
  { threads = defaultThreads(), runtime }: { threads?: number; runtime?: RuntimeUse } = {},
): Recommender {
  return createRecommender({
    fitted,
    runtime,
    users: data.users,
    items: data.items,
    seen: data.matrixByUser(),
    popularity: itemPopularity(data, { count: "events" }),
    threads,
  });
}

export interface SavedRecommender {
  name: string;
  params: Record<string, unknown>;
  state: ModelState;
  seen: Csr;
  popularity: Float32Array;
  users: IdMap;
  items: IdMap;
  runtime?: RuntimeUse;
}

/** The inverse of saving: the same scores, bit for bit. Throws ModelFormatError when arrays do not fit. */
export function restoreRecommender(saved: SavedRecommender, { threads = defaultThreads() }: { threads?: number } = {}): Recommender {
  const { name, state, seen, popularity, users, items, runtime } = saved;
  const fitted = restoreModel(name, { params: saved.params, numUsers: users.size, numItems: items.size, state, seen, restoreModel });
  return createRecommender({ fitted, runtime, users, items, seen, popularity, threads });
}

function restoreModel(name: string, saved: SavedModel<Record<string, unknown>>): FittedModel {
  const definition = getModel(name);
  return definition.restore({ ...saved, params: parseParams(definition.params, saved.params, `Saved model ${name}`) });
}

function checkWhole(name: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least))
    throw new ConfigError(`${name} is ${value}.`, { hint: `Give a whole number, ${least} or more.` });
}
