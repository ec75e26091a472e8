/** `tastemaker doctor`: checks what the machine offers and says how to mend what is missing. */
import type { Command } from "commander";
import { TastemakerError } from "../../core/errors.js";
import { examine } from "../../service/doctor.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { workspaceOption } from "../run-options.js";

export function registerDoctor(program: Command, context: CliContext): void {
  const command = program
    .command("doctor")
    .description("Check Node, memory, kernels, DuckDB, ONNX Runtime and folders.")
    .option("--data <folder>", "folder of data sets to check; default: $TASTEMAKER_DATA", process.env.TASTEMAKER_DATA)
    .addOption(workspaceOption(program));
  withCommonOptions(command)
    .addHelpText("after", examples("tastemaker doctor", "tastemaker doctor --json"))
    .action(async (options: CommonOptions & { data?: string; workspace: string }) => {
      const findings = await examine({ workspace: options.workspace, dataFolder: options.data });
      if (options.json) context.print(JSON.stringify({ ok: findings.every(({ ok }) => ok), findings }));
      else
        for (const { name, ok, detail, hint } of findings)
          context.print(`${ok ? "ok     " : "PROBLEM"}  ${name}: ${detail}${ok || !hint ? "" : ` ${hint}`}`);
      const bad = findings.filter(({ ok }) => !ok).map(({ name }) => name);
      if (bad.length > 0)
        throw new TastemakerError("E_UNAVAILABLE", `Something is missing: ${bad.join(", ")}.`, {
          hint: "The lines above say how to mend it.",
        });
    });
}
