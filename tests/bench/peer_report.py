"""Writes the report of compare_peers.py: tables of milliseconds per head and of ratios with their bounds."""

import json
import platform
from pathlib import Path

PEER_NAMES = {
    "onnx_softmax": "ONNX Runtime, fused MultiHeadAttention",
    "torch_softmax": "newest PyTorch, scaled_dot_product_attention",
    "debian_torch_softmax": "Debian's PyTorch, softmax attention",
    "jax_softmax": "JAX, dot_product_attention",
    "onnx_sinkhorn": "ONNX Runtime, Sinkhorn (LogSoftmax loop)",
    "torch_sinkhorn": "newest PyTorch, torch.compile of Sinkhorn",
    "debian_torch_sinkhorn": "Debian's PyTorch, Sinkhorn (log domain)",
    "ott_sinkhorn": "OTT-JAX, Sinkhorn and values",
}
ALL_FROM_196 = {(196, 32): 5.3, (512, 32): 5.3, (512, 64): 5.3, (1024, 64): 10, (2048, 64): 10, (4096, 64): 10}
AGAINST_SOFTMAX = {
    (196, 32): 1.35, (512, 32): 1.35, (512, 64): 1.25, (1024, 64): 1.25, (2048, 64): 1.25, (4096, 64): 1.25,
}
# Numerator and denominator of a ratio, "<=" or ">=", bounds by size. A size without a bound gets no verdict.
RATIOS = [
    ("compiled", "onnx_softmax", "<=", AGAINST_SOFTMAX),
    ("compiled_no_sort", "onnx_softmax", "<=", {}),
    ("onnx_sinkhorn", "compiled", ">=", ALL_FROM_196),
    ("debian_torch_sinkhorn", "compiled", ">=", ALL_FROM_196),
    ("torch_sinkhorn", "compiled", ">=", ALL_FROM_196),
    ("ott_sinkhorn", "compiled", ">=", {}),
    ("sinkhorn_log", "compiled", ">=", {}),
    ("best stored Sinkhorn", "compiled", ">=", {(196, 32): 1.2}),
    ("best stored Sinkhorn", "best stored compiled", ">=", {(4096, 64): 1.8, (8192, 64): 2}),
    ("best stored Sinkhorn", "compiled_bf16", ">=", {}),
    ("sinkhorn_tiled", "compiled", ">=", {(4096, 64): 5, (8192, 64): 5, (16384, 64): 5}),
    ("sinkhorn_tiled", "compiled_tiled", ">=", {}),
    ("sinkhorn_tiled", "compiled_tiled_bf16", ">=", {(4096, 64): 5, (8192, 64): 5, (16384, 64): 5}),
    ("compiled_bf16", "onnx_softmax", "<=", {}),
    ("compiled_no_lse", "onnx_softmax", "<=", {}),
    ("compiled_no_lse_bf16", "onnx_softmax", "<=", {}),
    ("compiled_one_pass", "onnx_softmax", "<=", {}),
    ("compiled_one_pass_bf16", "onnx_softmax", "<=", {}),
    ("best stored Sinkhorn", "compiled_no_lse", ">=", {}),
    ("best stored Sinkhorn", "compiled_no_lse_bf16", ">=", {}),
    ("best stored Sinkhorn", "compiled_one_pass", ">=", {}),
    ("best stored Sinkhorn", "compiled_one_pass_bf16", ">=", {}),
    ("sinkhorn_tiled", "compiled_no_lse", ">=", {}),
    ("sinkhorn_tiled", "compiled_no_lse_bf16", ">=", {}),
    ("softmax", "onnx_softmax", "<=", {}),
]
COMPILED = ("compiled",)  # float32, all features, the storage that the toolkit chooses
# Forms that store the Gibbs kernel; _half are the former names of _gibbs_bf16.
STORED_COMPILED = ("compiled_single", "compiled_gibbs_bf16", "compiled_half")
STORED_SINKHORN = ("sinkhorn_exp", "sinkhorn_single", "sinkhorn_gibbs_bf16", "sinkhorn_half",
                   "sinkhorn_bf16")
LARGEST_FORM_ERROR = 1e-3  # largest plan L1 (output error for long heads) of a form that counts as Sinkhorn
LONG_MEMORY = (16384, 64 * 2**20)  # tokens; bytes that the compiled operator may use there beyond inputs and outputs


def thread_label(threads):
    return f"{threads} thread{'' if threads == 1 else 's'}"


def time_of(row, name):
    """Milliseconds for a name in RATIOS, and the form or peer measured; (None, reason) if there is none."""
    times = row["milliseconds"]
    if name == "compiled":
        candidates = [form for form in COMPILED if form in times]
    elif name == "best stored compiled":
        candidates = [form for form in STORED_COMPILED if form in times]
    elif name == "best stored Sinkhorn":
        candidates = [form for form in STORED_SINKHORN if form in times and precise(row, form)]
    else:
        candidates = [name] if name in times else []
    if not candidates:
        return None, row["skipped"].get(name, "not measured")
    best = min(candidates, key=times.get)
    return times[best], best


def precise(row, form):
    """Whether a form is close enough to Sinkhorn, by its plan or, for long heads, its output. Unknown errors pass."""
    values = row["forms"][form]
    error = values.get("plan_l1") or values.get("output_error")
    return error is None or error <= LARGEST_FORM_ERROR


def verdict(value, relation, bound):
    if bound is None:
        return ""
    return "pass" if (value <= bound if relation == "<=" else value >= bound) else "FAIL"


def ratios(rows):
    results = []
    for row in rows:
        size = (row["tokens"], row["width"])
        for numerator, denominator, relation, bounds in RATIOS:
            (top, top_name), (bottom, bottom_name) = time_of(row, numerator), time_of(row, denominator)
            entry = {
                "threads": row["threads"], "tokens": size[0], "width": size[1], "bound": bounds.get(size),
                "relation": relation, "numerator": numerator, "denominator": denominator,
            }
            if top is None or bottom is None:
                entry |= {"ratio": None, "verdict": "not measured"}
            else:
                entry |= {
                    "ratio": top / bottom, "numerator_form": top_name, "denominator_form": bottom_name,
                    "verdict": verdict(top / bottom, relation, bounds.get(size)),
                }
            results.append(entry)
    return results


def memory_checks(rows):
    """Scratch memory of the compiled operator at the longest size."""
    checks = []
    for row in rows:
        if row["tokens"] != LONG_MEMORY[0]:
            continue
        for form in (*COMPILED, "compiled_tiled_bf16"):
            used = row["forms"].get(form, {}).get("memory_bytes")
            if used is not None:
                met = "pass" if used <= LONG_MEMORY[1] else "over"
                checks.append([form, row["threads"], f"{used / 2**20:.1f} MiB", met])
    return checks


def size_label(row):
    return f"{row['tokens']}x{row['width']}"


def time_table(rows, threads):
    mine = [row for row in rows if row["threads"] == threads]
    names = [*mine[0]["forms"], *PEER_NAMES]
    names.sort(key=lambda name: ("softmax" not in name, "sinkhorn" in name))
    table = [["", *map(size_label, mine)]]
    for name in names:
        cells = [f"{row['milliseconds'][name]:.3f}" if name in row["milliseconds"] else "-" for row in mine]
        if any(cell != "-" for cell in cells):
            table.append([PEER_NAMES.get(name, f"ours: {name}"), *cells])
    return table


def ratio_table(results, threads):
    mine = [entry for entry in results if entry["threads"] == threads]
    sizes = list(dict.fromkeys((entry["tokens"], entry["width"]) for entry in mine))
    table = [["", *(f"{tokens}x{width}" for tokens, width in sizes)]]
    for numerator, denominator, *_ in RATIOS:
        cells = []
        for size in sizes:
            entry = next(
                e for e in mine
                if (e["tokens"], e["width"]) == size and (e["numerator"], e["denominator"]) == (numerator, denominator)
            )
            if entry["ratio"] is None:
                cells.append("-")
                continue
            bound = f" ({entry['relation']} {entry['bound']:g} {entry['verdict']})" if entry["bound"] else ""
            cells.append(f"{entry['ratio']:.2f}{bound}")
        if any(cell != "-" for cell in cells):
            table.append([f"{numerator} / {denominator}", *cells])
    return table


def absent_table(rows):
    """The peers and forms that were not measured, with sizes and reasons."""
    seen = {}
    for row in rows:
        for name, why in row["skipped"].items():
            seen.setdefault((row["threads"], name, why), []).append(size_label(row))
        for form, values in row["forms"].items():
            if "skipped" in values:
                seen.setdefault((row["threads"], form, values["skipped"]), []).append(size_label(row))
    table = [["", "threads", "sizes", "reason"]]
    for (threads, name, why), sizes in seen.items():
        table.append([PEER_NAMES.get(name, name), threads, " ".join(sizes), why])
    return table


def sections(rows, versions, results):
    """(title, note, table) of every table that has rows."""
    found = []
    for threads in dict.fromkeys(row["threads"] for row in rows):
        peak = max(row["peak_gflops"] for row in rows if row["threads"] == threads)
        found.append((
            f"Milliseconds per head, {thread_label(threads)}",
            f"medians over rounds; the peak of multiply-adds in registers is {peak:.0f} GFLOP/s", time_table(rows, threads),
        ))
        found.append((
            f"Ratios of times, {thread_label(threads)}",
            "brackets hold bounds and verdicts; 'best stored' is the fastest form that stores the Gibbs kernel and, if it "
            f"is a Sinkhorn form, keeps plan L1 within {LARGEST_FORM_ERROR:g}",
            ratio_table(results, threads),
        ))
    checks = memory_checks(rows)
    if checks:
        note = f"beyond inputs and outputs at {LONG_MEMORY[0]} tokens; the bound is {LONG_MEMORY[1] // 2**20} MiB"
        found.append(("Memory", note, [["form", "threads", "memory", ""], *checks]))
    found.append(("Not measured", "missing or too slow", absent_table(rows)))
    table = [["peer", "versions"]]
    for name, parts in versions.items():
        table.append([PEER_NAMES[name], ", ".join(f"{key} {value}" for key, value in parts.items())])
    found.append(("Versions", f"on {platform.machine()}, Python's version included", table))
    return [section for section in found if len(section[2]) > 1]


def as_text(table):
    rows = [[str(cell) for cell in row] for row in table]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def as_markdown(table):
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in table]
    return "\n".join([lines[0], "|" + "---|" * len(table[0]), *lines[1:]])


def write(folder, rows, versions, command):
    """Writes peers.txt, peers.md and, last, summary.json."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    results = ratios(rows)
    text, markdown = "", f"Made by `{command}`.\n"
    for title, note, table in sections(rows, versions, results):
        text += f"{title} ({note})\n{as_text(table)}\n\n"
        markdown += f"\n**{title}** ({note})\n\n{as_markdown(table)}\n"
    verdicts = [entry["verdict"] for entry in results if entry["bound"] is not None]
    count = f"bounds: {verdicts.count('pass')} met, {verdicts.count('FAIL')} not met, "
    count += f"{verdicts.count('not measured')} not measured\n"
    (folder / "peers.txt").write_text(text + count)
    (folder / "peers.md").write_text(markdown + "\n" + count)
    summary = {"rows": rows, "ratios": results, "versions": versions, "command": command}
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
