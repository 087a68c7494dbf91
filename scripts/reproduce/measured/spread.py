"""Means, deviations, and whether a difference counts."""

import math

# Smaller differences of accuracy or agreement do not count. With one seed the spread is unknown, so more
# is required.
SMALLEST_DIFFERENCE = 0.001
SMALLEST_DIFFERENCE_OF_ONE_SEED = 0.01


def mean(values):
    return sum(values) / len(values)


def deviation(values):
    """Sample standard deviation; 0 for a single value."""
    if len(values) < 2:
        return 0.0
    centre = mean(values)
    return math.sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - 1))


def pairs(first, second):
    """Differences first - second, seed by seed. Both map seeds to values; seeds that either lacks, or has no number of, are
    left out: layers that keep loops have no R²."""
    return [first[seed] - second[seed] for seed in sorted(first)
            if first[seed] is not None and second.get(seed) is not None]


def verdict(differences):
    """1 if the first side is higher, -1 if it is lower, 0 if the difference does not count because its mean is within
    its deviation over seeds or too small to matter."""
    if not differences:
        return 0
    least = SMALLEST_DIFFERENCE if len(differences) > 1 else SMALLEST_DIFFERENCE_OF_ONE_SEED
    centre = mean(differences)
    if abs(centre) < max(least, deviation(differences)):
        return 0
    return 1 if centre > 0 else -1


def spread(values, digits=4):
    """'0.8312 ± 0.0021'; without the deviation for a single value; '-' without values."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    text = f"{mean(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ± {deviation(values):.{digits}f}"


def signed(differences, digits=4):
    """The spread of differences, with a sign even where it is positive."""
    text = spread(differences, digits)
    return text if text.startswith("-") else "+" + text
