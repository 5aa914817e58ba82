"""ONNX files of a plain formula: the mean colour of a picture, times weights."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = np.array([[1, -2, 0.5], [0, 1, 1]], np.float32)  # (classes, rgb)
KINDS = {"float": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}


def write(path, shape, *, kind="float", spatial=(2, 3), last="", outputs=1):
    """A graph: mean over the spatial axes, times WEIGHTS^T; `last`: an operator on the scores."""
    nodes = [
        helper.make_node("Cast", ["picture"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["wide", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["scores" if not last else "raw"]),
    ]
    if last:
        nodes.append(helper.make_node(last, ["raw"], ["scores"], **({"axis": 1} if last == "Softmax" else {})))
    results = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [shape[0], 2])]
    if outputs > 1:
        results.insert(0, helper.make_tensor_value_info("means", TensorProto.FLOAT, [shape[0], 3]))
    constants = [
        numpy_helper.from_array(np.array(spatial, np.int64), "axes"),
        numpy_helper.from_array(WEIGHTS.T[: shape[1] if shape[1] in (1, 2) else 3].copy(), "weights"),
    ]
    picture = helper.make_tensor_value_info("picture", KINDS[kind], shape)
    graph = helper.make_graph(nodes, "g", [picture], results, initializer=constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return f"onnx:{path}"
