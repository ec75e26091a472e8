/** Loads the model in the folder given, asks it for songs like three others by their ids, and prints what took how long. Started by content.bench.ts. */
import { loadModel } from "#dist/store/model-folder.js";

const begin = performance.now();
const model = await loadModel(process.argv[2], { threads: 1 });
const loadSeconds = (performance.now() - begin) / 1000;
const history = [5, 99, 1000].map((song) => ({ itemIndex: model.items.indexOf(model.items.idOf(song)) }));
const { itemIndex } = await model.recommend({ history }, { topK: 10 });
const cpu = process.cpuUsage();
console.log(
  JSON.stringify({
    loadSeconds,
    firstAnswerSeconds: (performance.now() - begin) / 1000 - loadSeconds,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    answered: itemIndex.length,
  }),
);
process.exit(0);
