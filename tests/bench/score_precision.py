#!/usr/bin/env python3
"""How far products of queries and keys in bfloat16 and in int8 move Sinkhorn plans: plan L1 over drawn heads, with exact
sums and everything else in float64. int8 is symmetric, with one scale for each query and each key.

  tests/bench/score_precision.py [--heads N]

Needs NumPy. Prints a table in Markdown."""

import argparse

import numpy as np

SHAPES = ((196, 32), (512, 64), (1024, 64))  # tokens, width
DEVIATIONS = (1.0, 2.0, 3.0)  # of the scores; those of trained teachers lie between


def sinkhorn_plan(scores, iterations=10):
    queries, keys = scores.shape
    column = np.zeros(keys)
    row = -np.log(np.exp(scores).sum(1))
    for _ in range(iterations):
        column = np.log(queries / keys) - np.log(np.exp(scores + row[:, None]).sum(0))
        row = -np.log(np.exp(scores + column).sum(1))
    return np.exp(scores + row[:, None] + column)


def int8(tokens):
    scale = np.abs(tokens).max(1, keepdims=True) / 127
    return np.round(tokens / scale) * scale


def bfloat16(tokens):
    bits = tokens.astype(np.float32).view(np.uint32)
    bits = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16  # to nearest, ties to even
    return bits.view(np.float32).astype(float)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=int, default=3, help="drawn for each cell (default 3)")
    heads = parser.parse_args().heads
    random = np.random.default_rng(0)
    print("| tokens x width | deviation of the scores | bfloat16 | int8 |\n|---|---|---|---|")
    for tokens, width in SHAPES:
        for deviation in DEVIATIONS:
            moved = np.zeros(2)
            for _ in range(heads):
                size = np.sqrt(deviation / np.sqrt(width))
                queries, keys = (size * random.standard_normal((tokens, width)) for _ in range(2))
                exact = sinkhorn_plan(queries @ keys.T)
                for place, rounded in enumerate((bfloat16, int8)):
                    plan = sinkhorn_plan(rounded(queries) @ rounded(keys).T)
                    moved[place] += np.abs(plan - exact).sum(1).mean() / heads
            print(f"| {tokens}x{width} | {deviation:g} | {moved[0]:.4f} | {moved[1]:.4f} |", flush=True)


if __name__ == "__main__":
    main()
