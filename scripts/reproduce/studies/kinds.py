"""Every attention kind with the same budget, and ESPFormer at the temperature that suits it: settings and table."""

from reproduce.measured.spread import mean, pairs, spread, verdict

# The words of model.attention, by the name of the table's column. ESPFormer sorts by a few coordinates of a head
# instead of all 32: with all of them a step costs up to twenty times as much as with any other kind.
ESPFORMER_SLICES = 4
KINDS = {"softmax": ["kind=softmax"], "sinkhorn": ["kind=sinkhorn"], "slack": ["kind=sinkhorn", "slack=learned"],
         "sinkformer": ["kind=sinkformer"], "espformer": ["kind=espformer", f"slices={ESPFORMER_SLICES}"],
         "lotformer": ["kind=lotformer"], "differential": ["kind=differential"]}
# Inverse temperatures of ESPFormer's soft sort; 10 is the default.
TEMPERATURES = (1, 3, 10, 30)
TEMPERATURE = "sort_inverse_temperature"


def settings_of(kind, *more):
    """The assignments that make a Sinkhorn configuration one of this kind."""
    return [f"model.attention.{word}" for word in (*KINDS[kind], *more)]


KINDS_HEADER = ["set", "steps", *KINDS]
TEMPERATURE_HEADER = ["set", "steps", "inverse temperature", "held-out accuracy", "ESPFormer", "at its default",
                      "Sinkhorn", "time, / Sinkhorn", "memory, / Sinkhorn"]


def accuracies(row):
    return list(row.get("accuracy", {}).values())


def kinds_rows(sets):
    """The cells of KINDS_HEADER, one row per set and number of steps."""
    return [[name, steps, *[spread(accuracies(row.get(kind, {}))) for kind in KINDS]]
            for name, result in sets.items() for steps, row in result.get("kinds", {}).items()]


def longest(result):
    """The accuracies by kind of the networks with the most steps of those trained with equal budgets."""
    by_steps = result.get("kinds", {})
    return by_steps[max(by_steps, key=int)] if by_steps else {}


def kinds_words(sets):
    """For every kind, the sets on which no other kind is better by a difference that counts."""
    leading = {kind: [] for kind in KINDS}
    for name, result in sets.items():
        rows = {kind: row["accuracy"] for kind, row in longest(result).items() if row.get("accuracy")}
        if len(rows) > 1:
            best = max(rows, key=lambda kind: mean(list(rows[kind].values())))
            for kind in rows:
                if verdict(pairs(rows[best], rows[kind])) <= 0:
                    leading[kind].append(name)
    return [f"With equal budgets, no kind is better than {kind} by a difference that counts on {', '.join(names)}."
            for kind, names in leading.items() if names]


def middle(values):
    return sorted(values)[len(values) // 2] if values else None


def cost_ratio(result, measure, kind="espformer_few"):
    """A training step with this kind divided by one with Sinkhorn; None where it was not measured."""
    this, sinkhorn = (middle(result.get("cost", {}).get(one, {}).get(measure, [])) for one in (kind, "sinkhorn"))
    return this / sinkhorn if this and sinkhorn else None


def temperature_rows(sets):
    """The cells of TEMPERATURE_HEADER, one row per set and number of steps."""
    rows = []
    for name, result in sets.items():
        ratios = [cost_ratio(result, measure) for measure in ("milliseconds_per_step", "step_peak_bytes")]
        for steps, tuned in result.get("temperature", {}).items():
            if "chosen" in tuned:
                beside = result.get("kinds", {}).get(steps, {})
                rows.append([name, steps, tuned["chosen"], f"{tuned['held_out'][tuned['chosen']]:.4f}",
                             spread(accuracies(tuned)),
                             *[spread(accuracies(beside.get(kind, {}))) for kind in ("espformer", "sinkhorn")],
                             *["-" if ratio is None else f"{ratio:.2f}" for ratio in ratios]])
    return rows
