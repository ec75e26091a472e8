/** The command line with all its verbs; one file each in commands/. */
import { Command } from "commander";
import { tastemakerVersion } from "../store/version.js";
import { registerAuto } from "./commands/auto.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerEvaluate } from "./commands/evaluate.js";
import { registerExport } from "./commands/export.js";
import { registerFeatures } from "./commands/features.js";
import { registerInit } from "./commands/init.js";
import { registerJobs } from "./commands/jobs.js";
import { registerModels } from "./commands/models.js";
import { registerPredict } from "./commands/predict.js";
import { registerPush } from "./commands/push.js";
import { registerRecommend } from "./commands/recommend.js";
import { registerReplicate } from "./commands/replicate.js";
import { registerRun } from "./commands/run.js";
import { registerServe } from "./commands/serve.js";
import { registerSongs } from "./commands/songs.js";
import { registerTrain } from "./commands/train.js";
import { registerTune } from "./commands/tune.js";
import { type CliContext, examples } from "./context.js";

export function createProgram(context: CliContext): Command {
  const program = new Command("tastemaker")
    .description("Recommendations: from a table of who interacted with what to measured models behind an API.")
    .version(tastemakerVersion)
    .showSuggestionAfterError(true)
    .exitOverride() // inherited by the verbs
    .enablePositionalOptions() // of `jobs submit`
    .addHelpText("after", examples("tastemaker run demo --serve", "tastemaker run orders.csv --serve", "tastemaker help run"));
  for (const register of [
    registerRun,
    registerInit,
    registerTrain,
    registerEvaluate,
    registerTune,
    registerAuto,
    registerRecommend,
    registerPredict,
    registerServe,
    registerJobs,
    registerExport,
    registerPush,
    registerSongs,
    registerFeatures,
    registerModels,
    registerReplicate,
    registerDoctor,
  ])
    register(program, context);
  return program;
}
