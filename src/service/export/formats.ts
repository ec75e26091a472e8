/** All formats of `tastemaker export`, by name. */
import { browser } from "./browser.js";
import type { ExportFormat } from "./format.js";
import { model } from "./model.js";
import { npy } from "./npy.js";
import { onnx } from "./onnx.js";
import { parquet } from "./parquet.js";
import { safetensors } from "./safetensors.js";
import { sagemaker } from "./sagemaker.js";
import { wals } from "./wals.js";

export const formats: Readonly<Record<string, ExportFormat>> = { npy, safetensors, onnx, parquet, wals, browser, model, sagemaker };

/** The format that a target's name ends in, else npy. */
export function formatFor(target: string): string {
  const byName = Object.keys(formats).find((name) => formats[name].extension && target.endsWith(formats[name].extension));
  return byName ?? "npy";
}
