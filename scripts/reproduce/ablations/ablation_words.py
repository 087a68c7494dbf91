"""One sentence on each ablation, derived from its numbers. `rows` is {line: {at: {metric: {seed: value}}}} of one ablation."""

from reproduce.measured.spread import deviation, mean, pairs, spread

AGREEMENT_BOUND = 0.003  # between 64 and 1,024 calibration examples
FEWER_BOUND = 4  # random slices per canonical slice of the same plan L1


def average(row, metric):
    return mean(list(row[metric].values())) if row.get(metric) else None


def averages(rows, line, metric):
    """{at: mean over seeds}, in the order of the ablation."""
    found = {at: average(row, metric) for at, row in rows.get(line, {}).items()}
    return {at: value for at, value in found.items() if value is not None}


def feature_words(rows):
    alone, together = averages(rows, "alone", "plan_l1"), averages(rows, "added to those before", "plan_l1")
    if not alone or not together:
        return None
    best = min(alone, key=alone.get)
    steps, before = {}, alone.get("pot")
    for name, value in together.items():
        if before is not None:
            steps[name] = before - value
        before = value
    text = (f"Of single features {best} comes nearest to the teacher's plans (plan L1 {alone[best]:.4f}); all together reach "
            f"{before:.4f}")
    if not steps:
        return f"{text}."
    largest = max(steps, key=steps.get)
    return f"{text}, and the largest step is {largest.removeprefix('+ ')}, which takes off {steps[largest]:.4f}."


def slices_needed(canonical, reached):
    """The fewest canonical slices whose plan L1 is at most `reached`; None where no number reaches it."""
    return next((count for count in sorted(canonical) if canonical[count] <= reached), None)


def slice_words(rows):
    canonical = {int(at): value for at, value in averages(rows, "canonical", "plan_l1").items()}
    random = {int(at): value for at, value in averages(rows, "random", "plan_l1").items()}
    compared = [count for count in sorted(random) if count >= FEWER_BOUND]
    if not canonical or not compared:
        return None
    needed = {count: slices_needed(canonical, random[count]) for count in compared}
    ratios = {count: count / few for count, few in needed.items() if few}
    if not ratios:
        return (f"No number of canonical slices reaches the plan L1 of {compared[0]} random ones "
                f"({random[compared[0]]:.4f}; canonical at best {min(canonical.values()):.4f}): {FEWER_BOUND} times fewer "
                "is missed.")
    shown = ", ".join(f"{needed[count] or 'no number'} for {count}" for count in compared)
    missed = [count for count in compared if ratios.get(count, 0) < FEWER_BOUND]
    verdict = (f"at least {FEWER_BOUND} times fewer" if not missed else
               f"at least {FEWER_BOUND} times fewer but for {', '.join(str(count) for count in missed)}, where that is missed"
               if len(missed) < len(compared) else f"less than {FEWER_BOUND} times fewer, so that is missed")
    return f"Canonical slices needed to reach the plan L1 of random ones: {shown}; {verdict}."


def objective_words(rows):
    found = averages(rows, "map", "plan_l1")
    if len(found) < 2:
        return None
    best, worst = min(found, key=found.get), max(found, key=found.get)
    agreements = averages(rows, "map", "agreement")
    text = (f"Objective {best} leaves the least plan L1 ({found[best]:.4f}) and {worst} the most ({found[worst]:.4f})")
    if best in agreements and worst in agreements:
        text += f", agreement {agreements[best]:.4f} and {agreements[worst]:.4f}"
    return f"{text}."


def calibration_words(rows):
    few, many = (rows.get("map", {}).get(at, {}).get("agreement", {}) for at in ("64", "1024"))
    differences = pairs(few, many)
    if not differences:
        return None
    centre, most = abs(mean(differences)), max(abs(value) for value in differences)
    verdict = "within" if most <= AGREEMENT_BOUND else "within, on average but not for every seed," \
        if centre <= AGREEMENT_BOUND else "not within"
    return (f"With 64 calibration examples agreement ({spread(list(few.values()))}) is {verdict} {AGREEMENT_BOUND} of that "
            f"with 1,024 ({spread(list(many.values()))}): the difference is {centre:.4f} on average and at most {most:.4f}.")


def map_seed_words(rows):
    parts = []
    for line in ("canonical", "random"):
        by_teacher = {}
        for row in rows.get(line, {}).values():
            for seed, value in row.get("plan_l1", {}).items():
                by_teacher.setdefault(seed, []).append(value)
        if by_teacher:
            inside = mean([deviation(values) for values in by_teacher.values()])
            between = deviation([mean(values) for values in by_teacher.values()])
            parts.append((line, inside, between))
    if not parts:
        return None
    text = " and ".join(f"{inside:.4f} with {line} slices" + (f" (between teachers {between:.4f})" if between else "")
                        for line, inside, between in parts)
    return f"Over seeds of the map, which draw examples and random slices, plan L1 has a deviation of {text}."


def teacher_words(rows, what):
    accuracy = averages(rows, "map", "accuracy")
    found = {at: value for at, value in averages(rows, "map", "plan_l1").items() if at in accuracy}
    if len(found) < 2:
        return None
    low, high = min(found, key=float), max(found, key=float)
    best = max(accuracy, key=accuracy.get)
    trend = "grows" if found[high] > found[low] else "falls"
    text = f"From {what} = {low} to {high} plan L1 {trend} from {found[low]:.4f} to {found[high]:.4f}"
    noise = max(deviation(list(row["accuracy"].values())) for row in rows["map"].values() if row.get("accuracy"))
    if accuracy[best] - min(accuracy.values()) <= noise:
        return (f"{text}; the teacher's accuracy ({min(accuracy.values()):.4f} to {accuracy[best]:.4f}) changes by less than "
                f"its deviation over seeds ({noise:.4f}).")
    return (f"{text}; the teacher is most accurate at {what} = {best} ({accuracy[best]:.4f}, at {low} {accuracy[low]:.4f}, "
            f"at {high} {accuracy[high]:.4f}).")


SENTENCES = {"features": feature_words, "slices": slice_words, "objective": objective_words,
             "calibration": calibration_words, "map-seed": map_seed_words,
             "epsilon": lambda rows: teacher_words(rows, "ε"), "iterations": lambda rows: teacher_words(rows, "T")}


def ablation_words(result):
    """{ablation: sentence} for what has been measured."""
    found = {name: SENTENCES[name](rows) for name, rows in result.get("ablations", {}).items() if name in SENTENCES}
    return {name: sentence for name, sentence in found.items() if sentence}
