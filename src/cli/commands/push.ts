/** `tastemaker push`: the models of the latest run into a bucket, from where other machines serve them. */
import type { Command } from "commander";
import { pushRun } from "../../service/push.js";
import { latestRun } from "../../service/workspace.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { workspaceOption } from "../run-options.js";

interface Options extends CommonOptions {
  model?: string;
  recipe?: string;
  workspace: string;
}

export function registerPush(program: Command, context: CliContext): void {
  const command = program
    .command("push <address>")
    .description("Upload the latest run to s3://bucket/prefix, for `serve --models`; what is there already is not sent again.")
    .option("--model <label>", "only this model of the run")
    .option("--recipe <name>", "whose latest run; default: the latest of all")
    .addOption(workspaceOption(program));
  withCommonOptions(command)
    .addHelpText("after", examples("tastemaker push s3://models/shop", "tastemaker push s3://models/shop --recipe demo --model als"))
    .addHelpText(
      "after",
      "\nCredentials and endpoint: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL.\n",
    )
    .action(async (address: string, { model, recipe, workspace, json }: Options) => {
      const { signal, onProgress } = context;
      const pushed = await pushRun(await latestRun(workspace, recipe), address, { model, signal, onProgress });
      if (json) return context.print(JSON.stringify(pushed));
      for (const { label, version, place } of pushed.models) context.print(`${label}, version ${version}: ${place}`);
      context.note(
        `${pushed.place} now gives run ${pushed.run} (${pushed.sent} new files). Serve it: tastemaker serve --models ${pushed.place}`,
      );
    });
}
