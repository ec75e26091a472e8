/**
 * The part of the ONNX file format that we write: messages and field numbers of onnx.proto (onnx.ai), encoded by protobufjs.
 */
import protobuf from "protobufjs/light.js";

const optional = (type: string, id: number) => ({ type, id });
const repeated = (type: string, id: number) => ({ rule: "repeated", type, id });

const root = protobuf.Root.fromJSON({
  nested: {
    Attribute: {
      fields: {
        name: optional("string", 1),
        f: optional("float", 2),
        i: optional("int64", 3),
        s: optional("bytes", 4),
        floats: repeated("float", 7),
        ints: repeated("int64", 8),
        type: optional("int32", 20),
      },
    },
    Node: {
      fields: {
        input: repeated("string", 1),
        output: repeated("string", 2),
        name: optional("string", 3),
        opType: optional("string", 4),
        attribute: repeated("Attribute", 5),
        domain: optional("string", 7),
      },
    },
    Tensor: {
      fields: {
        dims: { ...repeated("int64", 1), options: { packed: false } },
        dataType: optional("int32", 2),
        name: optional("string", 8),
        rawData: optional("bytes", 9),
      },
    },
    Dimension: { fields: { dimValue: optional("int64", 1), dimParam: optional("string", 2) } },
    TensorShape: { fields: { dim: repeated("Dimension", 1) } },
    TensorType: { fields: { elemType: optional("int32", 1), shape: optional("TensorShape", 2) } },
    Type: { fields: { tensorType: optional("TensorType", 1) } },
    ValueInfo: { fields: { name: optional("string", 1), type: optional("Type", 2), docString: optional("string", 3) } },
    Graph: {
      fields: {
        node: repeated("Node", 1),
        name: optional("string", 2),
        initializer: repeated("Tensor", 5),
        input: repeated("ValueInfo", 11),
        output: repeated("ValueInfo", 12),
      },
    },
    Property: { fields: { key: optional("string", 1), value: optional("string", 2) } },
    OperatorSet: { fields: { domain: optional("string", 1), version: optional("int64", 2) } },
    Model: {
      fields: {
        irVersion: optional("int64", 1),
        producerName: optional("string", 2),
        docString: optional("string", 6),
        graph: optional("Graph", 7),
        opsetImport: repeated("OperatorSet", 8),
        metadataProps: repeated("Property", 14),
      },
    },
  },
});

/** Numbers of TensorProto.DataType. */
export const dataTypes = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 } as const;
/** Numbers of AttributeProto.AttributeType. */
export const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

export interface OnnxNode {
  opType: string;
  name: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: { name: string; type: number; f?: number; i?: number; s?: Uint8Array; ints?: readonly number[] }[];
}
export interface OnnxTensor {
  name: string;
  dims: readonly number[];
  dataType: number;
  rawData: Uint8Array;
}
export interface OnnxValue {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: ({ dimValue: number } | { dimParam: string })[] } } };
  docString?: string;
}
export interface OnnxGraph {
  name: string;
  node: OnnxNode[];
  initializer: OnnxTensor[];
  input: OnnxValue[];
  output: OnnxValue[];
}

export interface OnnxModel {
  graph: OnnxGraph;
  documentation?: string;
  metadata?: Readonly<Record<string, string>>;
}

/** The bytes of a model file: IR version 9, opset 20, and onnxruntime's own operators where a node names their domain. */
export function encodeModel({ graph, documentation, metadata = {} }: OnnxModel): Uint8Array {
  const model = root.lookupType("Model");
  const domains = new Set(graph.node.map(({ domain }) => domain));
  const opsetImport = [{ domain: "", version: 20 }, ...(domains.has("com.microsoft") ? [{ domain: "com.microsoft", version: 1 }] : [])];
  const metadataProps = Object.entries(metadata).map(([key, value]) => ({ key, value }));
  return model
    .encode(model.create({ irVersion: 9, producerName: "tastemaker", docString: documentation, graph, opsetImport, metadataProps }))
    .finish();
}
