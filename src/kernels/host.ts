/**
 * Chooses the half for this environment. The Node half is found at run time without an import, so a browser bundler never meets a `node:` module.
 */
import { browserHost } from "./host-browser.js";
import { nodeHost } from "./host-node.js";
import type { KernelHost } from "./host-types.js";

let current: KernelHost | undefined;

/** The half for this environment, chosen once. */
export function kernelHost(): KernelHost {
  current ??= nodeHost() ?? browserHost();
  return current;
}
