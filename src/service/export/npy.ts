/** Export as npy: a folder with the model's arrays, which numpy reads with `np.load`, and its ids as JSON. */
import { join } from "node:path";
import { throwIfCancelled } from "../../core/errors.js";
import type { IdMap } from "../../core/interactions.js";
import { writeArrays } from "../../store/array-files.js";
import { writeDurably, writeFolderAtomically } from "../../store/durable-files.js";
import { type ExportFormat, onlyEmpty } from "./format.js";

export const npy: ExportFormat = {
  help: "a folder with the model's arrays for numpy and its ids as JSON",
  async write({ model }, path, { signal }) {
    const fill = async (folder: string) => {
      await writeArrays(folder, model.fitted.state().arrays, signal);
      for (const [name, ids] of Object.entries({ users: model.users, items: model.items }))
        await writeDurably(join(folder, `${name}.json`), [idsAsJson(ids)]);
      throwIfCancelled(signal);
    };
    await writeFolderAtomically(path, fill, { mayReplace: onlyEmpty });
  },
};

function idsAsJson(ids: IdMap): Buffer {
  return Buffer.from(`${JSON.stringify([...ids.ids()])}\n`);
}
