/**
 * Operators written as several: the fused matrix product where only standard operators are wanted or in float64, and what onnxruntime
 * has in float32 alone (HardSigmoid, Softplus, and the statistics of LayerNormalization), so that gradients can be checked in float64.
 */
import type { Node } from "../tensor.js";
import type { Writer } from "./writer.js";

/** True when the node has been written. */
export function decompose(writer: Writer, node: Node, inputs: readonly string[], outputs: readonly string[]): boolean {
  const rule = rules[node.operator];
  if (!rule || !(writer.float64 || (writer.standard && node.domain !== ""))) return false;
  rule(writer, node, inputs, outputs);
  return true;
}

const rules: Record<string, (writer: Writer, node: Node, inputs: readonly string[], outputs: readonly string[]) => void> = {
  FusedMatMul(writer, { attributes, inputs: tensors }, [a, b], outputs) {
    const order = tensors[0]!.shape.map((_, axis) => axis);
    const turned = (name: string, transposed: unknown) => {
      if (transposed !== 1) return name;
      const out = writer.fresh();
      writer.node("Transpose", [name], [out], { perm: [...order.slice(0, -2), order.length - 1, order.length - 2] });
      return out;
    };
    const alpha = (attributes.alpha as { float: number }).float;
    const [x, y] = [turned(a, attributes.transA), turned(b, attributes.transB)];
    const product = alpha === 1 ? outputs[0] : writer.fresh();
    writer.node("MatMul", [x, y], [product]);
    if (alpha !== 1) writer.node("Mul", [product, writer.floats([alpha], [])], outputs);
  },

  HardSigmoid(writer, { attributes }, inputs, outputs) {
    const steep = writer.fresh();
    writer.node("Mul", [...inputs, writer.floats([(attributes.alpha as { float: number }).float], [])], [steep]);
    writer.node("Clip", [steep, writer.floats([0], []), writer.floats([1], [])], outputs);
  },

  Softplus(writer, _node, inputs, outputs) {
    const [power, sum] = [writer.fresh(), writer.fresh()];
    writer.node("Exp", inputs, [power]);
    writer.node("Add", [power, writer.floats([1], [])], [sum]);
    writer.node("Log", [sum], outputs);
  },

  LayerNormalization(writer, { attributes }, [x, gain, bias], [value, mean, inverse]) {
    const last = writer.integers([-1]);
    const names = Array.from({ length: 7 }, () => writer.fresh());
    const [centred, squares, variance, shifted, deviation, unit, scaled] = names;
    writer.node("ReduceMean", [x, last], [mean], { keepdims: 1 });
    writer.node("Sub", [x, mean], [centred]);
    writer.node("Mul", [centred, centred], [squares]);
    writer.node("ReduceMean", [squares, last], [variance], { keepdims: 1 });
    writer.node("Add", [variance, writer.floats([(attributes.epsilon as { float: number }).float], [])], [shifted]);
    writer.node("Sqrt", [shifted], [deviation]);
    writer.node("Reciprocal", [deviation], [inverse]);
    writer.node("Mul", [centred, inverse], [unit]);
    writer.node("Mul", [unit, gain], [scaled]);
    writer.node("Add", [scaled, bias], [value]);
  },
};
