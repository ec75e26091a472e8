/** `tastemaker models`: the models that can be fitted, with their parameters, and the versions that were saved. */
import type { Command } from "commander";
import { listModels } from "../../models/registry.js";
import { describeModel } from "../../service/describe-model.js";
import { listWorkspaces, openWorkspace } from "../../service/workspace.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { workspaceOption } from "../run-options.js";
import { formatTable } from "../table.js";

export function registerModels(program: Command, context: CliContext): void {
  const command = program
    .command("models")
    .description("List the models with their parameters, and the saved versions.")
    .addOption(workspaceOption(program));
  withCommonOptions(command)
    .addHelpText("after", examples("tastemaker models", "tastemaker models --json"))
    .action(async (options: CommonOptions & { workspace: string }) => {
      const models = listModels().map(describeModel);
      const saved = await savedVersions(options.workspace);
      if (options.json) {
        context.print(JSON.stringify({ models, saved }));
        return;
      }
      for (const { name, title, description, reference, params, partialRefit } of models) {
        context.print(`${name}: ${title}. ${description}\n  ${reference}`);
        for (const param of params) context.print(`  ${param.name} (${param.type}, default ${param.default ?? "none"}): ${param.help}`);
        context.print(
          `  ${"how" in partialRefit ? `Partial refit: ${partialRefit.how}` : `No partial refit: ${partialRefit.unavailable}.`}\n`,
        );
      }
      if (saved.length === 0) {
        context.print(`Nothing is saved in ${options.workspace} yet.`);
        return;
      }
      const rows = saved.map(({ recipe, label, version, active, createdAt, numUsers, numItems }) => [
        recipe,
        label,
        `${version}${active ? " *" : ""}`,
        createdAt ?? "damaged",
        numUsers === undefined ? "" : String(numUsers),
        numItems === undefined ? "" : String(numItems),
      ]);
      for (const { recipe, label, damaged } of saved) if (damaged) context.note(`${recipe}, ${label}: ${damaged}`);
      context.print(`${formatTable([["recipe", "model", "version", "created", "users", "items"], ...rows])}\n* served`);
    });
}

async function savedVersions(root: string) {
  const all = [];
  for (const recipe of await listWorkspaces(root)) {
    for (const { model: label, version, active, folder, manifest, damaged } of await openWorkspace(root, recipe).models.list()) {
      const { model, params, createdAt, numUsers, numItems, metrics } = manifest ?? {};
      all.push({ recipe, label, model, version, active, folder, createdAt, numUsers, numItems, params, metrics, damaged });
    }
  }
  return all;
}
