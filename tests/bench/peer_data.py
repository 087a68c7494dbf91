"""The inputs that compare_peers.py gives to every peer, and the expected outputs."""

import numpy as np

ITERATIONS = 10
HEADS_PER_EXAMPLE = 4
LOGIT_RANGE = 40.0


def draw(tokens, width, heads, seed):
    """Queries, keys and values [B, H, N, D]. Their scores have low rank and are as sharp as those of trained teachers:
    points of a few clusters, mapped by correlated maps, plus noise, scaled to a median range of LOGIT_RANGE."""
    random = np.random.default_rng(seed)
    maps = np.random.default_rng(1)
    rank, clusters = 8, 6
    per_example = HEADS_PER_EXAMPLE if heads % HEADS_PER_EXAMPLE == 0 else 1
    shape = (heads // per_example, per_example, tokens)
    decay = 0.75 ** np.arange(rank)[:, None]
    shared, own = maps.standard_normal((2, rank, width))
    centres = maps.standard_normal((clusters, rank))
    query_map, key_map = decay * shared, decay * (0.7 * shared + 0.51**0.5 * own)

    def side(mapping):
        points = centres[random.integers(clusters, size=shape)] + 0.6 * random.standard_normal((*shape, rank))
        return points @ mapping + 0.15 * random.standard_normal((*shape, width))

    queries, keys = side(query_map), side(key_map)
    values = random.standard_normal((*shape, width))
    part = queries[0, :, : min(tokens, 512)] @ keys[0].transpose(0, 2, 1) / width**0.5
    factor = (LOGIT_RANGE / np.median(np.ptp(part, axis=(1, 2)))) ** 0.5
    return [np.ascontiguousarray(array, dtype=np.float32) for array in (factor * queries, factor * keys, values)]


def reference(queries, keys, values, iterations):
    """The expected output of a peer, in float64."""
    scores = queries.astype(np.float64) @ keys.transpose(0, 1, 3, 2).astype(np.float64) / queries.shape[-1] ** 0.5

    def log_sum(x, axis):
        top = x.max(axis=axis, keepdims=True)
        return top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))

    plan = scores - log_sum(scores, -1)
    for _ in range(iterations):
        plan = plan - log_sum(plan, -2)
        plan = plan - log_sum(plan, -1)
    return np.exp(plan) @ values
