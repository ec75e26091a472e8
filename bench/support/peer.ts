/**
 * The Python peers of benchmarks: a long-living child that answers commands, one JSON line each way (see peer.py, torch_peer.py).
 * Absent unless IMPLICIT_PYTHON names a Python that has implicit (scripts/make-implicit-env.mjs makes one), or TORCH_PYTHON one that has
 * PyTorch (scripts/make-torch-env.mjs).
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";

export interface Peer {
  /** Library and version. */
  readonly name: string;
  ask(command: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The seconds that the command took inside the peer. */
  seconds(command: string, args?: Record<string, unknown>): Promise<number>;
  close(): void;
}

let peak: number | undefined;

/** Largest resident memory of this process's peers so far, in MiB; undefined when none has run. */
export function peerPeakMiB(): number | undefined {
  return peak;
}

/** `threads` bounds implicit's and numpy's own threads; OpenBLAS gets `blasThreads` (implicit wants 1). */
export async function startPeer(
  { folder, blasThreads }: { folder: string; blasThreads: number },
  say: (text: string) => void,
): Promise<Peer | undefined> {
  const python = process.env.IMPLICIT_PYTHON;
  if (!python) {
    say("peer skipped: IMPLICIT_PYTHON is not set (node scripts/make-implicit-env.mjs FOLDER makes an environment)");
    return undefined;
  }
  return openPeer(python, { script: "peer.py", folder, env: { OPENBLAS_NUM_THREADS: String(blasThreads) } });
}

/** PyTorch on the CPU; its BLAS, whichever it is, gets the same number of threads. */
export async function startTorchPeer(
  { folder, threads }: { folder: string; threads: number },
  say: (text: string) => void,
): Promise<Peer | undefined> {
  const python = process.env.TORCH_PYTHON;
  if (!python) {
    say("peer skipped: TORCH_PYTHON is not set (node scripts/make-torch-env.mjs FOLDER makes an environment)");
    return undefined;
  }
  const env = Object.fromEntries(["OMP", "MKL", "OPENBLAS"].map((library) => [`${library}_NUM_THREADS`, String(threads)]));
  return openPeer(python, { script: "torch_peer.py", folder, env });
}

async function openPeer(
  python: string,
  { script, folder, env }: { script: string; folder: string; env: Record<string, string> },
): Promise<Peer> {
  const child = spawn(python, [path.resolve("bench", "support", script), folder], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise<never>((_, reject) => child.on("error", reject));
  failed.catch(() => {}); // seen by whoever waits for a line
  const ask = async (command: string, args: Record<string, unknown> = {}) => {
    child.stdin.write(`${JSON.stringify({ command, ...args })}\n`);
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done) throw new Error(`The peer ended while it was asked to ${command}.`);
    const answer = JSON.parse(value) as Record<string, unknown>;
    peak = Math.max(peak ?? 0, Number(answer.peakMiB));
    return answer;
  };
  const { name } = await ask("name");
  return {
    name: String(name),
    ask,
    seconds: async (command, args) => Number((await ask(command, args)).seconds),
    close: () => child.stdin.end(),
  };
}
