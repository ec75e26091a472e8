/** Elementwise functions; two operands broadcast as in ONNX, and their gradients are summed back to the operands' shapes. */
import { type Dimension, misfit, op, type Shape, scalar, type Tensor } from "../tensor.js";
import { sumTo } from "./reduce.js";

export type Operand = Tensor | number;

/** Shape of a broadcast. Throws ConfigError naming the operator and both shapes. */
export function broadcastShape(operator: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis): Dimension => {
    const [x, y] = [a[a.length - rank + axis] ?? 1, b[b.length - rank + axis] ?? 1];
    if (x !== y && x !== 1 && y !== 1) misfit(operator, a, b);
    return x === 1 ? y : x;
  });
}

type Binary = (a: Operand, b: Operand) => Tensor;
type Rule = (gradient: Tensor, a: Tensor, b: Tensor, value: Tensor) => readonly [() => Tensor, () => Tensor];

function binary(operator: string, rule: Rule): Binary {
  return (first, second) => {
    const [a, b] = lifted(first, second);
    const value: Tensor = op(operator, [a, b], {
      outputs: [{ shape: broadcastShape(operator, a.shape, b.shape) }],
      gradient: ([g]) => {
        const [ofA, ofB] = rule(g!, a, b, value);
        // constants need none, and a broadcast one would cost a sum
        return [
          a.node.operator === "constant" ? undefined : sumTo(ofA(), a.shape),
          b.node.operator === "constant" ? undefined : sumTo(ofB(), b.shape),
        ];
      },
    });
    return value;
  };
}

function lifted(a: Operand, b: Operand): [Tensor, Tensor] {
  const { graph } = (typeof a === "number" ? (b as Tensor) : a).node;
  const lift = (operand: Operand) => (typeof operand === "number" ? scalar(graph, operand) : operand);
  return [lift(a), lift(b)];
}

export const add: Binary = binary("Add", (g) => [() => g, () => g]);
export const subtract: Binary = binary("Sub", (g) => [() => g, () => negate(g)]);
export const multiply: Binary = binary("Mul", (g, a, b) => [() => multiply(g, b), () => multiply(g, a)]);
export const divide: Binary = binary("Div", (g, _a, b, value) => [() => divide(g, b), () => negate(divide(multiply(g, value), b))]);

function unary(operator: string, rule: (gradient: Tensor, x: Tensor, value: Tensor) => Tensor): (x: Tensor) => Tensor {
  return (x) => {
    const value: Tensor = op(operator, [x], { outputs: [{ shape: x.shape }], gradient: ([g]) => [rule(g!, x, value)] });
    return value;
  };
}

export const negate = unary("Neg", (g) => negate(g));
export const exp = unary("Exp", (g, _x, value) => multiply(g, value));
export const log = unary("Log", (g, x) => divide(g, x));
export const sqrt = unary("Sqrt", (g, _x, value) => divide(multiply(g, 0.5), value));
export const reciprocal = unary("Reciprocal", (g, _x, value) => negate(multiply(g, multiply(value, value))));
export const sigmoid = unary("Sigmoid", (g, _x, value) => multiply(g, subtract(value, multiply(value, value))));
export const tanh = unary("Tanh", (g, _x, value) => subtract(g, multiply(g, multiply(value, value))));
export const softplus = unary("Softplus", (g, x) => multiply(g, sigmoid(x)));
export const erf = unary("Erf", (g, x) => multiply(g, multiply(exp(negate(multiply(x, x))), 2 / Math.sqrt(Math.PI))));
export const relu = unary("Relu", (g, _x, value) => multiply(g, isPositive(value)));
/** x Φ(x), exact form (Hendrycks & Gimpel 2016). */
export const gelu = unary("Gelu", (g, x) => {
  const below = multiply(add(erf(multiply(x, Math.SQRT1_2)), 1), 0.5);
  const density = multiply(exp(multiply(multiply(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return multiply(g, add(below, multiply(x, density)));
});

/** 1 for positive values, else 0, as a sigmoid of straight lines: one pass that onnxruntime vectorises, where Sign and Where are scalar. Has no gradient. */
function isPositive(x: Tensor): Tensor {
  return op("HardSigmoid", [x], { attributes: { alpha: { float: 1e38 }, beta: { float: 0 } }, outputs: [{ shape: x.shape }] });
}

/** The value without a gradient. */
export const stopGradient = (x: Tensor): Tensor =>
  op("Identity", [x], { outputs: [{ shape: x.shape, type: x.type }], gradient: () => [undefined] });
