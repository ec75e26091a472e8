/**
 * Export as safetensors: the model's arrays in one file under their own names, and its ids as two arrays each (`items.utf8`: all ids as UTF-8,
 * `items.lengths`: the bytes of each), because metadata is for small text.
 */
import { throwIfCancelled } from "../../core/errors.js";
import { replaceFile, writeDurably } from "../../store/durable-files.js";
import { idArrays } from "../../store/model-arrays.js";
import { safetensors as encode } from "../../store/safetensors.js";
import type { ExportFormat } from "./format.js";

export const safetensors: ExportFormat = {
  help: "one file with the model's arrays and its ids as UTF-8",
  extension: ".safetensors",
  async write({ model, manifest }, path, { signal }) {
    const arrays = { ...model.fitted.state().arrays, ...idArrays("users", model.users), ...idArrays("items", model.items) };
    const { tastemaker, version, params, extra } = manifest;
    const metadata = { tastemaker, model: model.name, version, params: JSON.stringify(params), extra: JSON.stringify(extra ?? {}) };
    await replaceFile(path, async (temporary) => {
      await writeDurably(temporary, encode(arrays, metadata));
      throwIfCancelled(signal);
    });
  },
};
