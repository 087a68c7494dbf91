"""Ablations of the compiled map and of its teacher: one value is changed at a time. Every point is an operator with forced
features, fitted to the same teacher, or to one of a few short trainings; nothing chooses loops."""

from dataclasses import dataclass

from reproduce.measured.rows import put, summary_of

ABLATION_SETS = ("fashion_mnist", "tweeteval_emotion")  # images of 49 tokens, short texts
FEATURES = ("pot", "gau", "lin", "tilt", "lse", "lse0")
SLICED = "pot,gau,lin"  # the features that slices are for
SLICES = (1, 2, 4, 8, 16, 32, 64)
MOST_CANONICAL = 32  # the width of a head
CALIBRATIONS = (8, 16, 32, 64, 128, 256, 512, 1024)
OBJECTIVE_CALIBRATION = "64"  # objectives other than ridge descend on all examples at once
TRAINING_STEPS = 300  # of the teachers that differ in epsilon or T
EXAMPLES = 2000  # that agreement is measured on, unless the ablation takes all


@dataclass(frozen=True)
class Point:
    """One operator: the line of the picture it belongs to, its place on that line, and how it differs."""
    line: str
    at: object  # a number, or a label
    compile: tuple = ()
    training: tuple = ()  # assignments; without any the operator is fitted to the ordinary Sinkhorn network

    @property
    def stage(self):
        return f"{self.line}-{self.at}".replace(" ", "-").replace(",", "-").replace(":", "")


@dataclass(frozen=True)
class Ablation:
    name: str
    title: str
    x: str
    metric: str  # of METRICS, drawn
    points: tuple
    examples: int = EXAMPLES  # 0: all of them; None: agreement is not measured


METRICS = {"plan_l1": "plan L1", "agreement": "agreement", "disagreement": "disagreement with the teacher",
           "accuracy": "accuracy", "dual_r2": "dual R²"}


def forced(features, *more):
    return ("--features", features, *more)


def together():
    """("pot", "pot,gau", ...) and, last, with landmarks and with a corrected iteration."""
    lists = [",".join(FEATURES[:count]) for count in range(1, len(FEATURES) + 1)]
    return [*lists, f"{lists[-1]},landmarks:16", f"{lists[-1]},landmarks:16,it:1"]


def map_ablations():
    everything = ",".join(FEATURES)
    alone = [*FEATURES, "landmarks:16"]
    return (
        Ablation("features", "Features of the map", "feature", "plan_l1",
                 tuple(Point("alone", name, forced(name)) for name in alone)
                 + tuple(Point("added to those before", "+ " + features.rpartition(",")[2], forced(features))
                         for features in together()[1:]), examples=None),
        Ablation("slices", "Slices", "slices L", "plan_l1",
                 tuple(Point(kind, count, forced(SLICED, "--slices", str(count), "--slice-kind", kind))
                       for kind, most in (("canonical", MOST_CANONICAL), ("random", SLICES[-1]))
                       for count in SLICES if count <= most), examples=None),
        Ablation("objective", "Objective of the fit", "objective", "plan_l1",
                 tuple(Point("map", name, forced(everything, "--objective", name, "--calibration", OBJECTIVE_CALIBRATION))
                       for name in ("ridge", "kl", "output", "dual"))),
        Ablation("calibration", "Calibration examples", "calibration examples", "disagreement",
                 tuple(Point("map", count, forced(everything, "--calibration", str(count)))
                       for count in CALIBRATIONS), examples=0),
        Ablation("map-seed", "Seed of the map", "seed of the map", "plan_l1",
                 tuple(Point(kind, f"seed {seed}", forced(everything, "--slice-kind", kind, "--seed", str(seed)))
                       for kind in ("canonical", "random") for seed in range(1, 6)), examples=None))


def teacher_ablations():
    everything = ",".join(FEATURES)
    short = (f"train.max_steps={TRAINING_STEPS}",)

    def points(key, values):
        return tuple(Point("map", value, forced(everything), (*short, f"model.attention.{key}={value:g}"))
                     for value in values)
    return (
        Ablation("epsilon", "Teacher's ε", "ε of the teacher", "plan_l1", points("epsilon", (0.25, 0.5, 1, 2, 4))),
        Ablation("iterations", "Teacher's iterations T", "Sinkhorn iterations T of the teacher", "plan_l1",
                 points("iterations", (1, 2, 5, 10, 20))))


def all_ablations():
    return map_ablations() + teacher_ablations()


def quick_ablations():
    """First and last point of each line of the map's ablations: shows that they run."""
    few = []
    for ablation in map_ablations():
        if ablation.name in ("calibration", "objective"):  # --quick has its own number of examples
            continue
        kept = []
        for line in dict.fromkeys(point.line for point in ablation.points):
            points = [point for point in ablation.points if point.line == line]
            kept += [points[0], points[-1]]
        few.append(Ablation(**{**vars(ablation), "points": tuple(kept), "examples": None, "metric": "plan_l1"}))
    return tuple(few)


def stage_of(ablation, point):
    return f"ablations/{ablation.name}/{point.stage}"


def run_ablations(stages):
    """All stages of one set and seed. `stages`: the Experiments of that set and seed."""
    if stages.name not in ABLATION_SETS:
        return
    for ablation in quick_ablations() if stages.settings.quick else all_ablations():
        run_ablation(stages, ablation)


def run_ablation(stages, ablation):
    for point in ablation.points:
        stage, run = stage_of(ablation, point), "sinkhorn"
        if point.training:
            run = f"{stage}/teacher"
            stages.train(run, "sinkhorn", point.training)
        stages.compile(run, f"{stage}/operator", point.compile)
        if ablation.examples is not None:
            limit = ["--examples", str(ablation.examples)] if ablation.examples else []
            stages.compare(run, f"{stage}/operator", f"{stage}/compare", ["teacher", "compiled"], limit)


def add_ablations(result, seed, folder):
    """Adds {ablation: {line: {at: {metric: {seed: value}}}}}; `at` as text."""
    for ablation in all_ablations():
        for point in ablation.points:
            stage = folder / stage_of(ablation, point)
            operator, compared = summary_of(stage / "operator"), summary_of(stage / "compare")
            values = {}
            if operator:
                values |= {name: operator["mean"][name] for name in ("plan_l1", "dual_r2")}
            if compared:
                rows = {row["name"]: row for row in compared["methods"]}
                values |= {"agreement": rows["compiled"]["agreement"], "disagreement": 1 - rows["compiled"]["agreement"],
                           "accuracy": rows["teacher"]["accuracy"], "compiled accuracy": rows["compiled"]["accuracy"]}
            for metric, value in values.items():
                put(result, "ablations", ablation.name, point.line, str(point.at), metric, seed, value)
