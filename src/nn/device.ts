/**
 * Whether the runtime can compute on a device: asked once before anything is fitted, so that a wrong name fails at the start, and
 * recorded in manifests.
 */
import { ConfigError } from "../core/errors.js";
import type { RuntimeUse } from "../core/model.js";
import { emitOnnx } from "./onnx/emit.js";
import { add } from "./ops/elementwise.js";
import { neuralRuntime } from "./runtime.js";
import { createGraph, input } from "./tensor.js";

export const DEFAULT_DEVICE = "cpu";

/**
 * Runtime and device as they go into a manifest. Throws KernelError where there is no runtime (with the command that adds it),
 * ConfigError where the device is unknown or does not work here (with those that are known).
 */
export async function openDevice(device: string = DEFAULT_DEVICE): Promise<RuntimeUse> {
  const runtime = await neuralRuntime();
  if (device !== DEFAULT_DEVICE) {
    const known = [...new Set([DEFAULT_DEVICE, ...runtime.devices])];
    const details = { path: "device", got: device, allowed: known };
    if (!known.includes(device))
      throw new ConfigError(`There is no device ${JSON.stringify(device)}.`, {
        hint: `${runtime.version} knows ${known.join(", ")}.`,
        details,
      });
    try {
      const { bytes } = emitOnnx({ sum: add(input(createGraph(), "x", [1]), 1) });
      await (await runtime.createSession(bytes, { threads: 1, device })).release();
    } catch (cause) {
      throw new ConfigError(`The device ${device} does not work here: ${cause instanceof Error ? firstLine(cause.message) : cause}`, {
        hint: `${runtime.version} knows ${known.join(", ")}; cpu works everywhere. Drivers and libraries of the others: docs/neural.md.`,
        cause,
        details,
      });
    }
  }
  return { name: runtime.version, device };
}

/** Without the place in the source that native errors begin with. */
const firstLine = (message: string) =>
  message
    .trim()
    .split("\n")[0]
    .replace(/^.* was false\. /, "");
