"""Rank collapse by depth: deep networks with softmax and with Sinkhorn attention, untrained and trained, and the latter
with compiled attention, beside a bound. The measures are those of asap-eval diagnose."""

from pathlib import Path

from reproduce.ablations.ablation_points import ABLATION_SETS, FEATURES
from reproduce.measured.rows import put, summary_of
from reproduce.measured.spread import mean
from reproduce.studies.rank_figure import rank_figure

LAYERS = 12
STEPS = 600
STATES = {"untrained": ("train.max_steps=1", "train.learning_rate=1e-30"), "trained": (f"train.max_steps={STEPS}",)}
SIZES = {"fashion_mnist": ("model.patch=7",)}  # 16 tokens, for the depth costs time enough
KINDS = ("softmax", "sinkhorn")
EXAMPLES = 200
ALIKE = 1.1  # residuals whose ratio is smaller count as equal
ROUNDING = 1e-6  # relative residuals below this are mostly rounding in float32
CURVES = ("rank_residual", "pure_rank_residual", "pure_rank_bound")
BASES = ("collapse_base", "theorem_base")


def run_rank(stages):
    """All stages of one set and seed. `stages`: the Experiments of that set and seed."""
    if stages.name not in ABLATION_SETS:
        return
    for state, assignments in STATES.items():
        for kind in KINDS:
            stages.train(f"rank/{state}-{kind}", kind,
                         [f"model.layers={LAYERS}", *SIZES.get(stages.name, ()), *assignments])
        stages.compile(f"rank/{state}-sinkhorn", f"rank/{state}-operator", ["--features", ",".join(FEATURES)])
        diagnose(stages, f"rank/{state}-softmax", "teacher")
        diagnose(stages, f"rank/{state}-sinkhorn", "teacher,softmax,compiled", f"rank/{state}-operator")


def diagnose(stages, run, methods, operator=None):
    words = ["asap-eval", "diagnose", "--run", str(stages.folder(run)), "--methods", methods, "--examples", str(EXAMPLES)]
    if operator:
        words += ["--compiled", str(stages.folder(operator))]
    stages.runner.run(stages.folder(f"{run}-diagnose"), words)


def add_rank(result, seed, folder):
    """Adds {state: {line: {curve: {seed: values by depth}}}} with the lines softmax and sinkhorn (two networks), compiled
    and replaced (softmax in place of Sinkhorn, in its network), and each line's bases."""
    for state in STATES:
        for kind in KINDS:
            summary = summary_of(folder / "rank" / f"{state}-{kind}-diagnose")
            for method in summary["methods"] if summary else []:
                line = {"teacher": kind, "softmax": "replaced"}.get(method["name"], method["name"])
                for curve in CURVES:
                    put(result, "rank", state, line, curve, seed, method[curve])
                for base in BASES:
                    put(result, "rank", state, line, base, seed, summary[base])


def at_depth(rows, line, curve, depth):
    return mean([values[depth] for values in rows[line][curve].values()])


def collapsed(rows, line):
    """Layers of attention alone after which only rounding is left; a text."""
    residuals = [at_depth(rows, line, "pure_rank_residual", depth) for depth in range(depths(rows, line))]
    return next((str(depth) for depth, value in enumerate(residuals) if value < ROUNDING), f"more than {len(residuals) - 1}")


def depths(rows, line):
    return len(next(iter(rows[line]["pure_rank_residual"].values())))


def rank_words(result):
    """What the measures say of one set: one sentence on each state."""
    sentences = []
    for state, rows in result.get("rank", {}).items():
        if not all(line in rows for line in ("softmax", "sinkhorn", "compiled", "replaced")):
            continue
        last = {line: at_depth(rows, line, "rank_residual", -1) for line in rows}
        alone = {line: at_depth(rows, line, "pure_rank_residual", 1) for line in rows}
        change = last["sinkhorn"] / last["softmax"]
        verdict = "slows" if change > ALIKE else "hastens" if change < 1 / ALIKE else "neither slows nor hastens"
        kept = "keeps" if 1 / ALIKE <= last["compiled"] / last["sinkhorn"] <= ALIKE else "does not keep"
        text = (f"In {state} networks of {LAYERS} layers Sinkhorn {verdict} rank collapse: the tokens' relative residual to "
                f"rank one ends at {last['sinkhorn']:.3f} against softmax's {last['softmax']:.3f}, and compiled attention "
                f"{kept} that ({last['compiled']:.3f})")
        if verdict != "neither slows nor hastens":
            same = 1 / ALIKE <= last["replaced"] / last["sinkhorn"] if verdict == "slows" else \
                last["replaced"] / last["sinkhorn"] <= ALIKE
            cause = "so the trained weights make the difference, not the plan" if same else "so the plan makes a difference"
            text += f"; softmax in its place in the same network ends at {last['replaced']:.3f}, {cause}"
        sentences.append(
            f"{text}. Attention alone leaves {alone['sinkhorn']:.1e} after one layer (softmax {alone['softmax']:.1e}, "
            f"compiled {alone['compiled']:.1e}, bound {at_depth(rows, 'sinkhorn', 'pure_rank_bound', 1):.1e}) and less than "
            f"{ROUNDING:g} after {collapsed(rows, 'sinkhorn')} (softmax {collapsed(rows, 'softmax')}).")
    return sentences


def rank_picture(name, result):
    return rank_figure(f"Rank collapse by depth, {name}", result["rank"])


def rank_section(name, result):
    """The picture and its caption; "" without measures."""
    if not result.get("rank"):
        return ""
    caption = ("The tokens' relative residual to rank one before the first layer and after each, means over seeds. Below: "
               "the attention layers alone, without residual connections, feed-forward parts and layer norms, beside the "
               "doubly exponential bound; below 1e-7 only rounding is left.")
    return f'<figure><div class="drawing">\n{rank_picture(name, result)}</div><figcaption>{caption}</figcaption></figure>\n'


def write_rank_picture(out, name, result):
    if result.get("rank"):
        Path(out, f"{name}_rank_collapse.svg").write_text(rank_picture(name, result), encoding="utf-8")
