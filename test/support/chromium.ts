/**
 * A Chromium to run pages in: $CHROMIUM, one on the PATH, or (only where TASTEMAKER_APT=1 allows it) Debian's package,
 * installed now. Undefined, with a printed line, where none can be had.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome"];

export function findChromium(): string | undefined {
  const onPath = () => (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const find = () => [process.env.CHROMIUM ?? "", ...onPath()].find((file) => file !== "" && existsSync(file));
  const found = find();
  if (found) return found;
  if (process.env.TASTEMAKER_APT === "1") {
    console.log("installing Debian's chromium for the browser tests …");
    spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore", timeout: 120_000 });
    const options = ["install", "-y", "-qq", "--no-install-recommends", "chromium"];
    spawnSync("apt-get", options, { stdio: "ignore", timeout: 300_000, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    const installed = find();
    if (installed) return installed;
  }
  console.log("browser tests are skipped: no Chromium on the PATH (set CHROMIUM to one, or TASTEMAKER_APT=1 to install Debian's)");
  return undefined;
}

/** Quiet, and without connections of its own. */
export const chromiumArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
