/** LSTM over a session, otherwise as gru; parts/recurrent-model.ts has the formula and how it is trained. Runs on ONNX Runtime. */
import { recurrentDefinition } from "./parts/recurrent-model.js";

export const lstm = recurrentDefinition({
  cell: "lstm",
  name: "lstm",
  title: "LSTM",
  reference: "Hochreiter & Schmidhuber (1997), Long short-term memory; for sessions as in Hidasi et al. (2016)",
  description: "Long short-term memory over the asker's items in order, the basket in progress last; predicts the next one.",
  complexity: 76,
});
