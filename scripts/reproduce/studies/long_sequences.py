"""Long sequences: throughput of the whole network and time in attention, beside the teacher's loop in its forms."""

from reproduce.measured.rows import metric, values
from reproduce.measured.spread import mean, spread

# The first three are what the compiled operator is divided by; truncations and softmax in both precisions.
METHODS = ["teacher", "teacher_log", "softmax", "softmax_bf16", "sinkhorn:3", "sinkhorn:5", "sinkhorn_bf16:3",
           "sinkhorn_bf16:5", "sinkhorn_bf16:10", "compiled"]
EXAMPLES = 500  # times and agreement need no more

HEADER = ["set", "teacher", "compiled", "agreement", "plan L1", "examples/s", "/ our loop", "/ published loop",
          "attention: our loop /", "attention / softmax", "best loop of no more time: agreement"]


def attention_time(rows, method):
    return mean(values(rows, method, "attention_milliseconds"))


def ratios(rows, name, over, under):
    """One ratio per seed."""
    first, second = metric(rows, over, name), metric(rows, under, name)
    return [first[seed] / second[seed] for seed in sorted(first) if seed in second]


def best_truncation(rows):
    """The loop that agrees most often with the teacher among those that take no longer than the compiled operator, as
    (name, its agreements); None where every loop takes longer."""
    limit = attention_time(rows, "compiled")
    fast = [name for name in rows if name.startswith("sinkhorn") and
            attention_time(rows, name) <= limit]
    return max(((name, values(rows, name, "agreement")) for name in fast), key=lambda pair: mean(pair[1]), default=None)


def same_precision(rows):
    """The softmax whose products have the precision of most of the operator's layers: the nearer in time."""
    compiled = attention_time(rows, "compiled")
    names = [name for name in ("softmax", "softmax_bf16") if name in rows]
    times = {name: attention_time(rows, name) for name in names}
    below = [name for name in names if times[name] <= compiled]
    return max(below, key=times.get) if below else min(names, key=times.get)


def cells_of(title, rows):
    truncation = best_truncation(rows)
    softmax = same_precision(rows)
    return [title,
            *[spread(values(rows, method, "accuracy")) for method in ("teacher", "compiled")],
            *[spread(values(rows, "compiled", name)) for name in ("agreement", "plan_l1")],
            spread(values(rows, "compiled", "examples_per_second"), 0),
            spread(ratios(rows, "examples_per_second", "compiled", "teacher"), 2),
            spread(ratios(rows, "examples_per_second", "compiled", "teacher_log"), 1),
            spread(ratios(rows, "attention_milliseconds", "teacher", "compiled"), 2),
            f"{spread(ratios(rows, 'attention_milliseconds', 'compiled', softmax), 2)} ({softmax})",
            f"{spread(truncation[1])} ({truncation[0]})" if truncation else "none"]


def long_rows(sets):
    """The cells of HEADER for every set with results of the experiment."""
    return [cells_of(name, result["long"]) for name, result in sets.items()
            if "compiled" in result.get("long", {}) and "teacher_log" in result["long"]]
