"""The peers of compare_peers.py: attention in other libraries, one function each. Run as a program, this file is the
worker process of one peer:

  peers.py NAME THREADS        answers each line {"tokens", "width", "heads", "seed", "seconds"} on stdin with a line
                               {"milliseconds": per head, "calls"} on stdout; before that, it writes a line
                               {"versions", "error": on a small case}

A peer's function returns prepare(queries, keys, values), which takes float32 NumPy arrays [B, H, N, D] and returns a
function without arguments. Only calls of the latter are timed: conversion to a library's own arrays and layouts, and
compilation, happen before.
"""

import json
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from peer_data import ITERATIONS, draw, reference


def blas_name():
    """The BLAS that this process has loaded."""
    maps = Path("/proc/self/maps").read_text()
    return next((name for name in ("mkl", "openblas", "blis", "libblas") if name in maps), "built in")


# PyTorch: Debian's version and the newest run the same code.


def torch_versions():
    import torch

    torch.ones(64, 64) @ torch.ones(64, 64)
    return {"torch": torch.__version__, "blas": blas_name()}


def torch_sinkhorn_attention(queries, keys, values, iterations=ITERATIONS):
    import torch

    scores = queries @ keys.transpose(-1, -2) * queries.shape[-1] ** -0.5
    f = -torch.logsumexp(scores, dim=-1, keepdim=True)
    g = torch.zeros_like(f)
    for _ in range(iterations):
        g = -torch.logsumexp(scores + f, dim=-2, keepdim=True)
        f = -torch.logsumexp(scores + g, dim=-1, keepdim=True)
    return torch.exp(scores + f + g) @ values


def torch_softmax_attention(queries, keys, values):
    import torch

    scores = queries @ keys.transpose(-1, -2)
    return torch.softmax(scores.mul_(queries.shape[-1] ** -0.5), dim=-1) @ values


def torch_peer(function):
    import torch

    torch.set_num_threads(int(sys.argv[2]))

    def prepare(*arrays):
        tensors = [torch.from_numpy(array) for array in arrays]

        def call():
            with torch.no_grad():
                return function(*tensors)

        return call

    return prepare


def debian_torch_softmax():
    return torch_peer(torch_softmax_attention)


def debian_torch_sinkhorn():
    return torch_peer(torch_sinkhorn_attention)


def torch_softmax():
    import torch

    return torch_peer(torch.nn.functional.scaled_dot_product_attention)


def torch_sinkhorn():
    import torch

    return torch_peer(torch.compile(torch_sinkhorn_attention, dynamic=False))


# ONNX Runtime with its fastest settings: all graph optimisations, all allowed threads, and threads that spin during a
# run (its default). They stop spinning after the run, so that they disturb no other side.


def onnx_versions():
    import onnxruntime

    return {"onnxruntime": onnxruntime.__version__}


def onnx_session(nodes, opset_imports):
    import onnx
    import onnxruntime

    def tensor(name):
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)

    graph = onnx.helper.make_graph(nodes, "attention", [tensor(n) for n in "qkv"], [tensor("out")])
    model = onnx.helper.make_model(graph, opset_imports=opset_imports)
    model.ir_version = 8
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = int(sys.argv[2])
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def onnx_call(session, arrays):
    """Binds inputs and outputs once, so that a call copies nothing. They stay in NumPy's memory, which must live as
    long as the call."""
    import onnxruntime

    binding = session.io_binding()
    output = np.empty_like(arrays[2])
    for name, array in zip("qkv", arrays):
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
    binding.bind_ortvalue_output("out", onnxruntime.OrtValue.ortvalue_from_numpy(output))

    def call():
        session.run_with_iobinding(binding)
        return output

    call.inputs = arrays
    return call


def onnx_softmax():
    import onnx

    sessions = {}

    def prepare(*arrays):
        examples, heads, tokens, width = arrays[0].shape
        if heads not in sessions:
            node = onnx.helper.make_node(
                "MultiHeadAttention", list("qkv"), ["out"], domain="com.microsoft", num_heads=heads
            )
            domains = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)]
            sessions[heads] = onnx_session([node], domains)
        packed = [
            np.ascontiguousarray(array.transpose(0, 2, 1, 3)).reshape(examples, tokens, heads * width)
            for array in arrays
        ]
        return onnx_call(sessions[heads], packed)

    return prepare


def onnx_sinkhorn():
    import onnx

    make = onnx.helper.make_node
    sessions = {}

    def prepare(*arrays):
        width = arrays[0].shape[-1]
        if width not in sessions:
            scale = onnx.helper.make_tensor("scale_value", onnx.TensorProto.FLOAT, [], [width**-0.5])
            nodes = [
                make("Constant", [], ["scale"], value=scale),
                make("Transpose", ["k"], ["kt"], perm=[0, 1, 3, 2]),
                make("Mul", ["q", "scale"], ["scaled"]),
                make("MatMul", ["scaled", "kt"], ["scores"]),
                make("LogSoftmax", ["scores"], ["row0"], axis=-1),
            ]
            for t in range(ITERATIONS):
                nodes.append(make("LogSoftmax", [f"row{t}"], [f"column{t + 1}"], axis=-2))
                nodes.append(make("LogSoftmax", [f"column{t + 1}"], [f"row{t + 1}"], axis=-1))
            nodes.append(make("Exp", [f"row{ITERATIONS}"], ["plan"]))
            nodes.append(make("MatMul", ["plan", "v"], ["out"]))
            sessions[width] = onnx_session(nodes, [onnx.helper.make_opsetid("", 17)])
        return onnx_call(sessions[width], arrays)

    return prepare


# JAX and OTT-JAX.


def jax_versions():
    import jax

    return {"jax": jax.__version__}


def ott_versions():
    import ott

    return jax_versions() | {"ott-jax": ott.__version__}


def jax_peer(function, layout):
    import jax

    compiled = jax.jit(function)

    def prepare(*arrays):
        held = [jax.device_put(array.transpose(layout)) for array in arrays]
        return lambda: compiled(*held).block_until_ready()

    return prepare


def jax_softmax():
    import jax

    return jax_peer(jax.nn.dot_product_attention, (0, 2, 1, 3))


def ott_sinkhorn():
    import jax
    import jax.numpy as jnp
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn

    # Exactly ITERATIONS iterations: the marginal error is checked once, after the last.
    solver = sinkhorn.Sinkhorn(
        max_iterations=ITERATIONS, min_iterations=ITERATIONS, inner_iterations=ITERATIONS, threshold=0.0
    )

    def head(queries, keys, values):
        scores = queries @ keys.T * queries.shape[-1] ** -0.5
        problem = linear_problem.LinearProblem(geometry.Geometry(cost_matrix=-scores, epsilon=1.0))
        # OTT's iterations update columns, then rows. A row update before them makes the start equal to ours.
        start = -jax.nn.logsumexp(scores, axis=1) - jnp.log(scores.shape[0])
        solved = solver(problem, init=(start, jnp.zeros(scores.shape[1])))
        return queries.shape[0] * solved.matrix @ values

    return jax_peer(jax.vmap(jax.vmap(head)), (0, 1, 2, 3))


PEERS = {
    "debian_torch_softmax": (debian_torch_softmax, torch_versions),
    "debian_torch_sinkhorn": (debian_torch_sinkhorn, torch_versions),
    "torch_softmax": (torch_softmax, torch_versions),
    "torch_sinkhorn": (torch_sinkhorn, torch_versions),
    "onnx_softmax": (onnx_softmax, onnx_versions),
    "onnx_sinkhorn": (onnx_sinkhorn, onnx_versions),
    "jax_softmax": (jax_softmax, jax_versions),
    "ott_sinkhorn": (ott_sinkhorn, ott_versions),
}


def check_peer(name, prepare):
    """Relative error on a small case. A peer that computes a different result must not be measured."""
    arrays = draw(48, 16, 4, 3)
    got = np.asarray(prepare(*arrays)())
    expected = reference(*arrays, iterations=ITERATIONS if "sinkhorn" in name else 0)
    if got.ndim == 3:  # [B, N, H * D]
        got = got.reshape(expected.shape[0], 48, 4, 16).transpose(0, 2, 1, 3)
    elif name == "jax_softmax":
        got = got.transpose(0, 2, 1, 3)
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


def measure(prepare, request):
    call = prepare(*draw(request["tokens"], request["width"], request["heads"], request["seed"]))
    call()  # compiles, allocates, fills caches
    times = []
    begin = time.perf_counter()
    while not times or time.perf_counter() - begin < request["seconds"]:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return {"milliseconds": 1e3 * statistics.median(times) / request["heads"], "calls": len(times)}


def main():
    name = sys.argv[1]
    # Keeps what libraries print out of the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    make, versions = PEERS[name]
    prepare = make()
    error = check_peer(name, prepare)
    answer({"versions": versions() | {"python": sys.version.split()[0]}, "error": error})
    for line in sys.stdin:
        answer(measure(prepare, json.loads(line)))


if __name__ == "__main__":
    main()
