/** GRU4Rec: gated recurrent units over a session; parts/recurrent-model.ts has the formula and how it is trained. Runs on ONNX Runtime. */
import { recurrentDefinition } from "./parts/recurrent-model.js";

export const gru = recurrentDefinition({
  cell: "gru",
  name: "gru",
  title: "GRU4Rec",
  reference: "Hidasi & Karatzoglou (2018), Recurrent neural networks with top-k gains for session-based recommendations",
  description: "Gated recurrent units over the asker's items in order, the basket in progress last; predicts the next one.",
  complexity: 75,
});
