/**
 * Recurrent layers over sequences of a fixed length, unrolled: LSTM (Hochreiter & Schmidhuber 1997, with forget gate: Gers et al. 2000)
 * and GRU (Cho et al. 2014, reset gate behind the product as in cuDNN). Rows are in order of time: row t · batch + b is step t of
 * sequence b. Backward through time is written out by hand, so that the weights' gradients are one product over all steps.
 */
import { filled, misfit, sizeOf, type Tensor, withGradient } from "../tensor.js";
import { add, multiply, sigmoid, subtract, tanh } from "./elementwise.js";
import { gemm } from "./matrix.js";
import { sum } from "./reduce.js";
import { concat, reshape, split, transpose, transposed } from "./shape.js";

export interface RecurrentWeights {
  /** width × gates · units; the gates of LSTM in the order input, forget, output, candidate, those of GRU reset, update, candidate. */
  input: Tensor;
  /** units × gates · units. */
  recurrent: Tensor;
  /** gates · units. */
  bias: Tensor;
  /** units: added to the recurrent part of GRU's candidate, before the reset gate; LSTM has none. */
  candidateBias?: Tensor;
}

export interface RecurrentOptions {
  length: number;
  /** Where the sequences go on: [batch × units] each, the output and for LSTM the cell. Absent = zeros. No gradient reaches them. */
  state?: readonly Tensor[];
}

export interface RecurrentResult {
  /** length · batch × units. */
  output: Tensor;
  /** After the last step, as `RecurrentOptions.state`. */
  state: readonly Tensor[];
}

/** What backward reads of a step of `lstm`. */
interface Cell {
  /** Output before and what comes in. */
  read: Tensor;
  /** f c and i u. */
  kept: Tensor;
  entered: Tensor;
  /** i, f, o. */
  gates: readonly Tensor[];
  candidate: Tensor;
  /** tanh c'. */
  bent: Tensor;
  hidden: Tensor;
}

/**
 * i, f, o = σ(x Wₓ + h Wₕ + b),  u = tanh(…),  c' = f c + i u,  h' = o tanh c'.
 * x: [length · batch × width]. Throws ConfigError naming the shapes that do not fit.
 * Within, a column is a sequence: gates are then blocks of rows, which are cut and joined in one piece, and the weights stand left in every
 * product, where the runtime reads them as they are (on the right it rearranges them for every step).
 */
export function lstm(x: Tensor, weights: RecurrentWeights, { length, state }: RecurrentOptions): RecurrentResult {
  const { batch, units, steps } = checked("Lstm", x, weights, { gates: 4, length });
  const { graph } = x.node;
  const zeros = filled(graph, 0, [units, batch]);
  const bias = reshape(weights.bias, [4 * units, 1]);
  const both = transposed(concat([weights.recurrent, weights.input], 0));
  const columns = turned(x);
  const cells: Cell[] = [];
  let [hidden, cell] = state ? state.map(turned) : [zeros, zeros];
  const outputs = split(columns, steps, 1).map((own) => {
    const read = concat([hidden, own], 0);
    const sums = split(gemm(both, read, { bias }), new Array<number>(4).fill(units), 0);
    const gates = sums.slice(0, 3).map(sigmoid);
    const candidate = tanh(sums[3]);
    const [kept, entered] = [multiply(gates[1], cell), multiply(gates[0], candidate)];
    cell = add(kept, entered);
    const bent = tanh(cell);
    hidden = multiply(gates[2], bent);
    cells.push({ read, kept, entered, gates, candidate, bent, hidden });
    return hidden;
  });
  const output = withGradient(concat(outputs, 1), [columns, weights.input, weights.recurrent, weights.bias], ([g]) => {
    const own = split(g!, steps, 1);
    const sums: Tensor[] = []; // d loss / d (x Wₓ + h Wₕ + b) of each step
    let laterCell: Tensor | undefined;
    for (let t = length - 1; t >= 0; t--) {
      const { hidden, entered, kept, gates, candidate, bent } = cells[t];
      const [inGate, forgetGate, outGate] = gates;
      const dHidden: Tensor = t + 1 < length ? gemm(weights.recurrent, sums[t + 1], { bias: own[t] }) : own[t];
      const throughOut = multiply(dHidden, hidden);
      const direct = subtract(multiply(dHidden, outGate), multiply(throughOut, bent));
      const dCell: Tensor = laterCell ? add(direct, laterCell) : direct;
      const [throughIn, throughForget] = [multiply(dCell, entered), multiply(dCell, kept)];
      sums[t] = concat(
        [
          subtract(throughIn, multiply(throughIn, inGate)),
          subtract(throughForget, multiply(throughForget, forgetGate)),
          subtract(throughOut, multiply(throughOut, outGate)),
          subtract(multiply(dCell, inGate), multiply(throughIn, candidate)),
        ],
        0,
      );
      laterCell = multiply(dCell, forgetGate);
    }
    const all = concat(sums, 1);
    const read = concat(
      cells.map((one) => one.read),
      1,
    );
    const [dRecurrent, dInput] = split(gemm(read, all, { transposeB: true }), [units, sizeOf(columns.shape.slice(0, 1))], 0);
    return [gemm(weights.input, all), dInput, dRecurrent, sum(all, [1])];
  });
  return { output: turned(output), state: [turned(hidden), turned(cell)] };
}

const turned = (x: Tensor): Tensor => transpose(x, [1, 0]);

/**
 * r, z = σ(x Wₓ + h Wₕ + b),  n = tanh(xₙ + r (h Wₕₙ + candidateBias)),  h' = n + z (h − n).
 * Shapes and errors as of `lstm`.
 */
export function gru(x: Tensor, weights: RecurrentWeights, { length, state }: RecurrentOptions): RecurrentResult {
  const { batch, units, steps } = checked("Gru", x, weights, { gates: 3, length });
  const { graph } = x.node;
  const candidateBias = weights.candidateBias ?? filled(graph, 0, [units]);
  const recurrentBias = concat([filled(graph, 0, [2 * units]), candidateBias], 0);
  const zeros = filled(graph, 0, [batch, units]);
  const [enteredGates, enteredCandidates] = split(gemm(x, weights.input, { bias: weights.bias }), [2 * units, units], 1).map((part) =>
    split(part, steps, 0),
  );
  const cells: { before?: Tensor; gates: Tensor; parts: readonly Tensor[]; candidate: Tensor; carried: Tensor }[] = [];
  let hidden: Tensor | undefined = state?.[0];
  const atStart = [filled(graph, 0, [batch, 2 * units]), multiply(filled(graph, 1, [batch, units]), candidateBias)];
  const outputs = enteredGates.map((own, t) => {
    const before = hidden;
    const [gateSums, carried] = before
      ? split(gemm(before, weights.recurrent, { bias: recurrentBias }), [2 * units, units], 1)
      : [undefined, atStart[1]];
    const gates = sigmoid(gateSums ? add(own, gateSums) : own);
    const parts = split(gates, [units, units], 1);
    const candidate = tanh(add(enteredCandidates[t], multiply(parts[0], carried)));
    hidden = add(candidate, multiply(parts[1], subtract(before ?? zeros, candidate)));
    cells.push({ before, gates, parts, candidate, carried });
    return hidden;
  });
  const inputs = [x, weights.input, weights.recurrent, weights.bias, ...(weights.candidateBias ? [weights.candidateBias] : [])];
  const output = withGradient(concat(outputs, 0), inputs, ([g]) => {
    const own = split(g!, steps, 0);
    const [gateSums, candidateSums, carriedSums]: Tensor[][] = [[], [], []];
    let later: Tensor | undefined;
    for (let t = length - 1; t >= 0; t--) {
      const { before = zeros, gates, parts, candidate, carried } = cells[t];
      const [reset, update] = parts;
      const dHidden: Tensor = later ? add(own[t], later) : own[t];
      const kept = multiply(dHidden, update);
      const dCandidate = subtract(dHidden, kept);
      const dSum = subtract(dCandidate, multiply(dCandidate, multiply(candidate, candidate)));
      const dGates = concat([multiply(dSum, carried), multiply(dHidden, subtract(before, candidate))], 1);
      gateSums[t] = multiply(dGates, subtract(gates, multiply(gates, gates)));
      candidateSums[t] = dSum;
      carriedSums[t] = multiply(dSum, reset);
      if (t > 0) later = gemm(concat([gateSums[t], carriedSums[t]], 1), weights.recurrent, { transposeB: true, bias: kept });
    }
    const [dGates, dCandidates, dCarried] = [gateSums, candidateSums, carriedSums].map((parts) => concat(parts, 0));
    const entered = concat([dGates, dCandidates], 1);
    const before = concat(
      cells.map((one) => one.before ?? zeros),
      0,
    );
    return [
      gemm(entered, weights.input, { transposeB: true }),
      gemm(x, entered, { transposeA: true }),
      gemm(before, concat([dGates, dCarried], 1), { transposeA: true }),
      sum(entered, [0]),
      ...(weights.candidateBias ? [sum(dCarried, [0])] : []),
    ];
  });
  return { output, state: [hidden!] };
}

/** Sizes of a layer. */
function checked(
  operator: string,
  x: Tensor,
  { input, recurrent, bias, candidateBias }: RecurrentWeights,
  { gates, length }: { gates: number; length: number },
): { batch: number; units: number; steps: number[] } {
  const [rows, width] = [sizeOf(x.shape.slice(0, 1)), sizeOf(x.shape.slice(1))];
  const batch = rows / length;
  const units = sizeOf(recurrent.shape.slice(0, 1));
  if (x.shape.length !== 2 || !Number.isInteger(batch) || input.shape[0] !== width || input.shape[1] !== gates * units)
    misfit(operator, x.shape, input.shape);
  if (recurrent.shape[1] !== gates * units) misfit(operator, input.shape, recurrent.shape);
  if (bias.shape.length !== 1 || bias.shape[0] !== gates * units) misfit(operator, input.shape, bias.shape);
  if (candidateBias && (candidateBias.shape.length !== 1 || candidateBias.shape[0] !== units))
    misfit(operator, recurrent.shape, candidateBias.shape);
  return { batch, units, steps: new Array<number>(length).fill(batch) };
}
