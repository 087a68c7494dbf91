#!/usr/bin/env python3
"""Sinkhorn attention from Python, forward and backward: asap.torch against PyTorch, eager and torch.compile.

    tests/bench/attention_python.py [--threads 1,2] [--examples 64] [--heads 8] [--tokens 256] [--width 64]
                                    [--iterations 10] [--rounds 3] [--operator FEATURES]

Needs the package and PyTorch: pip install ./src/python torch. All variants compute the same function of the same float32
tensors, which is checked first. They are interleaved in one process; a time is the median over the rounds. `forward`
needs no gradient, `forward + backward` is one step of training. With --operator the forward pass of a compiled operator
with these features follows, in C++ and in PyTorch's own operations.
"""

import argparse
import statistics
import sys
import time

import torch

import asap
import asap.torch

from peers import torch_sinkhorn_attention


def forward(function, tensors):
    with torch.no_grad():
        return function(*tensors)


def forward_and_backward(function, tensors, output_gradient):
    leaves = [tensor.detach().requires_grad_() for tensor in tensors]
    output = function(*leaves)
    output.backward(output_gradient)
    return [output.detach(), *(leaf.grad for leaf in leaves)]


def largest_difference(results, references):
    return max(((a - b).abs().max() / b.abs().max()).item() for a, b in zip(results, references))


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def measure(variants, tensors, output_gradient, rounds):
    """{step: {variant: median seconds}}; output_gradient None: forward only."""
    steps = {"forward": lambda function: forward(function, tensors)}
    if output_gradient is not None:
        steps["forward + backward"] = lambda function: forward_and_backward(function, tensors, output_gradient)
    times = {}
    for step, run in steps.items():
        for function in variants.values():  # compiles and touches memory
            run(function)
        rows = [{name: seconds(lambda: run(function)) for name, function in variants.items()} for _ in range(rounds)]
        times[step] = {name: statistics.median(row[name] for row in rows) for name in variants}
    return times


def operator_variants(features, tensors, variants, iterations):
    """The operator in three forms, beside Sinkhorn's loops."""
    # Fitted on a few examples more: its time does not depend on the weights.
    q, k = (torch.randn(16, *tensors[0].shape[1:]).numpy() for _ in range(2))
    operator = asap.CompiledOperator.fit(3 * q, k, iterations=iterations, features=features, calibration=8, held_out=8)
    plain = asap.torch.PlainCompiledAttention(operator)
    ours = asap.torch.CompiledAttention(operator)
    difference = largest_difference([plain(*tensors)], [ours(*tensors)])
    if not difference < 1e-4:
        raise SystemExit(f"the forms of the operator differ by {difference:.1e}")
    return {"operator": ours, "operator in PyTorch": plain,
            "operator in torch.compile": torch.compile(plain, dynamic=False), **variants}


def print_operator(features, tensors, variants, options):
    forms = operator_variants(features, tensors, variants, options.iterations)
    print(f"\nforward pass of the operator {features}, in seconds:\n")
    print("| threads | " + " | ".join(forms) + " | fastest loop of PyTorch / fastest operator in PyTorch |")
    print("|---" * (len(forms) + 2) + "|")
    for threads in map(int, options.threads.split(",")):
        asap.set_threads(threads)
        torch.set_num_threads(threads)
        row = measure(forms, tensors, None, options.rounds)["forward"]
        loops = min(row["torch.compile"], row["PyTorch eager"])
        operators = min(row["operator in PyTorch"], row["operator in torch.compile"])
        print(f"| {threads} | " + " | ".join(f"{row[name]:.4f}" for name in forms) + f" | {loops / operators:.1f} |", flush=True)


def main(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="1,2", help="numbers of threads, with commas")
    for name, value in (("examples", 64), ("heads", 8), ("tokens", 256), ("width", 64), ("iterations", 10), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--operator", metavar="FEATURES", help="also a compiled operator, such as lse,landmarks:16")
    options = parser.parse_args(words)
    torch.manual_seed(1)
    shape = (options.examples, options.heads, options.tokens, options.width)
    *tensors, output_gradient = (torch.randn(shape) for _ in range(4))
    tensors[0] *= 3  # scores as sharp as those of trained networks
    compiled = torch.compile(torch_sinkhorn_attention, dynamic=False)
    variants = {
        "asap": lambda q, k, v: asap.torch.sinkhorn_attention(q, k, v, iterations=options.iterations),
        "torch.compile": lambda q, k, v: compiled(q, k, v, options.iterations),
        "PyTorch eager": lambda q, k, v: torch_sinkhorn_attention(q, k, v, options.iterations),
    }
    small, small_gradient = [tensor[:1].double() for tensor in tensors], output_gradient[:1].double()
    reference = forward_and_backward(variants["PyTorch eager"], small, small_gradient)
    for name, function in variants.items():
        results = forward_and_backward(function, [tensor.float() for tensor in small], small_gradient.float())
        difference = largest_difference(results, reference)
        if not difference < 1e-4:
            print(f"{name} computes something else: {difference:.1e}", file=sys.stderr)
            return 1
    print(f"asap {asap.__version__}, PyTorch {torch.__version__}, T = {options.iterations}, "
          f"{options.examples} x {options.heads} heads of {options.tokens} x {options.width}\n")
    print("| threads | step | " + " | ".join(f"{name}, s" for name in variants)
          + " | torch.compile / asap | eager / asap |")
    print("|---" * (len(variants) + 4) + "|")
    for threads in map(int, options.threads.split(",")):
        asap.set_threads(threads)
        torch.set_num_threads(threads)
        for step, row in measure(variants, tensors, output_gradient, options.rounds).items():
            ours = row["asap"]
            print(f"| {threads} | {step} | " + " | ".join(f"{row[name]:.3f}" for name in variants)
                  + f" | {row['torch.compile'] / ours:.1f} | {row['PyTorch eager'] / ours:.1f} |", flush=True)
    if options.operator:
        print_operator(options.operator, tensors, variants, options)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
