#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Permutation matching: a set of 2 P tokens, P asking and P answering. Token a carries a code c_a,
/// of standard normal values, and its partner carries the same code; to both copies noise is added.
/// The answering token also carries a payload, one of the classes; the asking token must name its
/// partner's, so that attention has to find it. Partners correspond one to one, which is what a
/// doubly stochastic plan knows and a softmax does not.
///
/// A token is [asks, answers, code (code_width), payload (classes)], the payload one-hot and zero
/// where the token asks. Labels are per token, kNotScored where it answers. Tokens stand in random
/// order.
///
/// Example i of a split is a pure function of config.matching.seed, the split and i.
Dataset draw_matching_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
