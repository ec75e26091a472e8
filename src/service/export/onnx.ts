/** Export as ONNX: scoring as one file of standard operators, for any ONNX runtime (docs/neural.md). */
import { ConfigError } from "../../core/errors.js";
import { vectorsOnnx } from "../../models/parts/vectors-onnx.js";
import { writeFileAtomically } from "../../store/durable-files.js";
import type { ExportFormat } from "./format.js";

export const onnx: ExportFormat = {
  help: "one file that scores from indexes of users or items",
  extension: ".onnx",
  async write({ model }, path) {
    const bytes = (await model.fitted.toOnnx?.()) ?? (await vectorsOnnx(model.fitted));
    if (!bytes)
      throw new ConfigError(`The model ${model.name} has no ONNX form: it is neither a network nor made of vectors.`, {
        hint: "Export its arrays with --format npy.",
      });
    await writeFileAtomically(path, bytes);
  },
};
