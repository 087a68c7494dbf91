"""Collects the results of all stages in one dictionary: numbers by set, experiment and method, each a map from seed
to value."""

import json
import re
from pathlib import Path

from reproduce.ablations.ablation_points import add_ablations
from reproduce.measured.rows import put, summary_of
from reproduce.studies.rank_collapse import add_rank
from reproduce.studies.relu_networks import add_relu_networks

METRICS = ("accuracy", "examples_per_second", "agreement", "attention_milliseconds", "plan_l1", "column_error", "imitated_agreement")
EQUAL = "equal latency"  # the row of the truncation whose K makes it take the compiled operator's time


def add_comparison(rows, seed, summary):
    """Adds the methods of one asap-eval compare. The truncation of equal latency also gets a row of its own."""
    for method in summary["methods"]:
        names = [method["name"]] + ([EQUAL] if method.get("equal_latency") else [])
        for name in names:
            for metric in METRICS:
                if metric in method:
                    put(rows, name, metric, seed, method[metric])
        if method.get("equal_latency"):
            put(rows, EQUAL, "iterations", seed, int(method["name"].partition(":")[2]))


def add_training(result, seed, folder):
    for kind in ("sinkhorn", "softmax", "slack", "espformer", "retrained"):
        summary = summary_of(folder / kind)
        if not summary:
            continue
        put(result, "training", kind, "accuracy", seed, summary["test"]["accuracy"])
        put(result, "training", kind, "examples_per_second", seed, summary["train"]["examples_per_second"])
        if kind == "sinkhorn":
            attention = summary["model"]["attention"]
            result["iterations"] = attention["iterations"]
            result["parameters"] = summary["model"]["parameters"]


def add_kinds(result, seed, folder):
    """Adds the accuracy of every attention kind by the number of steps of its training; ["cut_to"]: the numbers of steps
    that --steps set."""
    for path in sorted(folder.glob("kinds/*/*/summary.json")):
        summary = json.loads(path.read_text())
        steps = str(summary["train"]["total_steps"])
        put(result, "kinds", steps, path.parent.name, "accuracy", seed, summary["test"]["accuracy"])
        if path.parent.parent.name == f"{steps}-steps":
            result["cut_to"] = sorted({*result.get("cut_to", []), steps}, key=int)


def add_temperature(result, seed, folder):
    """Adds the held-out accuracy at each of ESPFormer's inverse temperatures, and the test accuracy at the best."""
    for path in sorted(folder.glob("temperature/*/espformer/summary.json")):
        summary = json.loads(path.read_text())
        steps = str(summary["train"]["total_steps"])
        put(result, "temperature", steps, "accuracy", seed, summary["test"]["accuracy"])
        put(result, "temperature", steps, "chosen", f"{summary['model']['attention']['sort_inverse_temperature']:g}")
        for tried in sorted(path.parent.parent.glob("held-out-*/summary.json")):
            value = tried.parent.name.rpartition("-")[2]
            put(result, "temperature", steps, "held_out", value, json.loads(tried.read_text())["test"]["accuracy"])


def add_noise_levels(sets, out):
    """Adds the accuracy by noise level, from all networks trained on pairs of codes."""
    for path in sorted(path for name in sets for path in Path(out, name).glob("seed-*/**/summary.json")):
        summary = json.loads(path.read_text())
        data = summary.get("config", {}).get("data", {})
        if path.parent.name in ("sinkhorn", "softmax", "espformer") and data.get("kind") == "matching":
            seed = path.relative_to(out).parts[1].partition("-")[2]
            put(sets, "matching", "noise_levels", path.parent.name, f"{data['matching']['noise']:g}", seed,
                summary["test"]["accuracy"])


def add_cost(result, folder):
    for path in sorted(folder.glob("cost/*-*/summary.json")):
        kind = re.sub(r"-\d+$", "", path.parent.name)
        summary = json.loads(path.read_text())
        milliseconds = 1e3 * summary["train"]["seconds"] / summary["train"]["steps"]
        row = result.setdefault("cost", {}).setdefault(kind, {"milliseconds_per_step": [], "peak_bytes": []})
        row["milliseconds_per_step"].append(milliseconds)
        row["peak_bytes"].append(summary["memory"]["peak_bytes"])
        if "step_peak_bytes" in summary["train"]:  # missing from runs of earlier versions
            row.setdefault("step_peak_bytes", []).append(summary["train"]["step_peak_bytes"])
    path = folder / "sinkhorn-operator" / "seconds.json"
    if path.is_file():
        result["compile_seconds"] = json.loads(path.read_text())["seconds"]


def add_shift(result, seed, folder, kind):
    for stage, name in ((f"shift-{kind}-compare", "shifted"), (f"shift-{kind}-ordinary", "ordinary")):
        summary = summary_of(folder / stage)
        if not summary:
            continue
        rows = result.setdefault("shift", {}).setdefault(kind, {})
        add_comparison(rows.setdefault(name, {}), seed, summary)
        rows["judged on"] = summary["data"]
        if "mean" in summary.get("compiled", {}):
            put(rows, "dual_r2", name, seed, summary["compiled"]["mean"]["dual_r2"])
    operator = summary_of(folder / f"shift-{kind}-operator")
    if operator and "shift" in result and kind in result["shift"]:
        result["shift"][kind]["fitted on"] = operator["calibration"]["source"]
        text = operator["calibration"].get("data", {}).get("text", {})
        if kind == "lengths" and "(" not in operator["calibration"]["source"] and text:
            result["shift"][kind]["fitted on"] += f" (cut to {text['max_tokens']} tokens)"
        put(result["shift"][kind], "dual_r2", "at home", seed, operator["mean"]["dual_r2"])


def collect_set(folder):
    result = {}
    for path in sorted(folder.glob("seed-*")):
        seed = path.name.partition("-")[2]
        add_training(result, seed, path)
        add_kinds(result, seed, path)
        add_temperature(result, seed, path)
        add_relu_networks(result, seed, path)
        for stage, place in (("layer-compare", ("frozen",)), ("sinkhorn-compare", ("replacement", "sinkhorn")),
                             ("softmax-compare", ("replacement", "softmax")),
                             ("slack-compare", ("replacement", "slack")), ("long-compare", ("long",))):
            summary = summary_of(path / stage)
            if not summary:
                continue
            rows = result
            for key in place:
                rows = rows.setdefault(key, {})
            add_comparison(rows, seed, summary)
            result["examples"] = summary["examples"]
        for kind in ("classes", "noise", "lengths"):
            add_shift(result, seed, path, kind)
        add_ablations(result, seed, path)
        add_rank(result, seed, path)
        if seed == "1":
            add_cost(result, path)
    linear = summary_of(folder / "linear")
    if linear:
        result["linear"] = linear["test"]["accuracy"]
    return result


def collect(out, names):
    """{"sets": {SET: ...}} for all sets with at least one result."""
    sets = {}
    for name in names:
        result = collect_set(Path(out) / name)
        if result:
            sets[name] = result
    if "matching" in sets:
        add_noise_levels(sets, out)
    return {"sets": sets}
