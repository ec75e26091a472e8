/** `tastemaker jobs`: training and searching in the background: submit, watch, read the log, cancel. */
import { existsSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import { throwIfCancelled } from "../../core/errors.js";
import { type JobReport, jobReport, listJobs } from "../../service/jobs/job-files.js";
import { cancelJob, jobVerbs, submitJob } from "../../service/jobs/jobs.js";
import { keepJob } from "../../service/jobs/keep-job.js";
import { DEFAULT_WORKSPACE } from "../../service/workspace.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { workspaceOption } from "../run-options.js";
import { formatTable } from "../table.js";

type Options = CommonOptions & { workspace: string };

const FOLLOW_MS = 300;

export function registerJobs(program: Command, context: CliContext): void {
  const self = [process.execPath, process.argv[1]];
  const jobs = program
    .command("jobs")
    .description("Run training or a search in the background: submit, list, status, logs, cancel.")
    .enablePositionalOptions();
  const verb = (name: string, description: string) =>
    withCommonOptions(jobs.command(name).description(description)).addOption(workspaceOption(program));
  const show = (job: JobReport, json: boolean | undefined) => context.print(json ? JSON.stringify(job) : describe(job));

  jobs
    .command("submit <verb> [args...]")
    .description(
      `Start a command (${jobVerbs.join(", ")}) that goes on when the terminal is closed; options as the command itself takes them.`,
    )
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText(
      "after",
      examples("tastemaker jobs submit train orders.csv --refit", "tastemaker jobs submit tune shop.yaml --trials 50 --json"),
    )
    .action(async (name: string, args: string[]) => {
      const job = await submitJob([name, ...args], { workspaces: workspaceIn(args), program: self });
      if (args.includes("--json")) return context.print(JSON.stringify(job));
      context.print(job.id);
      context.note(`Watch it: tastemaker jobs logs ${job.id} --follow. Stop it: tastemaker jobs cancel ${job.id}.`);
    });
  verb("list", "All jobs of the workspace.").action(async ({ workspace, json }: Options) => {
    const all = await listJobs(workspace);
    if (json) return context.print(JSON.stringify(all));
    context.print(
      formatTable([
        ["job", "state", "command", "last"],
        ...all.map((job) => [job.id, job.state, job.args.join(" "), job.last.slice(0, 60)]),
      ]),
    );
  });
  verb("status <id>", "How far a job is, or how it ended.").action(async (id: string, { workspace, json }: Options) =>
    show(await jobReport(workspace, id), json),
  );
  verb("logs <id>", "What a job has written: its notes and progress, then its result.")
    .option("--follow", "go on until the job has ended; Ctrl-C stops watching, not the job")
    .action(async (id: string, { workspace, follow }: Options & { follow?: boolean }) => {
      await printLog(await jobReport(workspace, id), { context, again: follow ? () => jobReport(workspace, id) : undefined });
    });
  verb("cancel <id>", "End a job where nothing is broken; submitted again it goes on from its last checkpoint.")
    .option("--force", "end it at once")
    .action(async (id: string, { workspace, json, force }: Options & { force?: boolean }) =>
      show(await cancelJob(workspace, id, { force }), json),
    );
  jobs.command("keep <folder>", { hidden: true }).action(async (folder: string) => void (await keepJob(folder, self)));
}

/** The folder of the workspaces that the job's own command uses. */
function workspaceIn(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === "--workspace" || arg.startsWith("--workspace="));
  const usual = process.env.TASTEMAKER_WORKSPACE || DEFAULT_WORKSPACE;
  if (at < 0) return usual;
  return args[at].includes("=") ? args[at].slice(args[at].indexOf("=") + 1) : (args[at + 1] ?? usual);
}

function describe({ id, state, args, startedAt, endedAt, exitCode, signal, last, log }: JobReport): string {
  const end = signal ? `, by ${signal}` : state === "failed" ? `, exit code ${exitCode}` : "";
  return [
    `${id}: ${state}${end}`,
    `  tastemaker ${args.join(" ")}`,
    ...(startedAt ? [`  started ${startedAt}${endedAt ? `, ended ${endedAt}` : ""}`] : []),
    ...(last ? [`  ${last}`] : []),
    ...(state === "lost"
      ? ["  Its process is gone (killed, or the machine restarted). Submit it again: it goes on from its last checkpoint."]
      : []),
    `  log: ${log}`,
  ].join("\n");
}

/** The log to stderr as it grows, the result to stdout. */
async function printLog(first: JobReport, { context, again }: { context: CliContext; again?: () => Promise<JobReport> }): Promise<void> {
  let at = 0;
  for (let job = first; ; job = await again!()) {
    const text = await readFrom(job.log, at);
    at += text.length;
    process.stderr.write(text);
    if (!again || (job.state !== "running" && job.state !== "starting")) break;
    await wait(FOLLOW_MS, undefined, { signal: context.signal }).catch(() => throwIfCancelled(context.signal));
  }
  if (existsSync(first.result)) process.stdout.write(await readFile(first.result));
}

async function readFrom(file: string, at: number): Promise<Buffer> {
  if (!existsSync(file)) return Buffer.alloc(0);
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.max(0, size - at));
    return bytes.subarray(0, (await handle.read(bytes, 0, bytes.length, at)).bytesRead);
  } finally {
    await handle.close();
  }
}
