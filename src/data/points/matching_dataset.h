#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Permutation matching: a set of 2 P tokens, P queries and P answers. A query and its answer carry
/// the same code of standard normal values, each with noise of its own. The answer also carries a
/// payload, one of the classes, which is the label of the query, so that attention has to find the
/// answer. Queries and answers correspond one to one; a doubly stochastic plan has that constraint,
/// a softmax plan has not.
///
/// A token is [is query, is answer, code (code_width), payload (classes)]; the payload is one-hot,
/// and zero for queries. Labels are per token, kNotScored for answers. Tokens are in random order.
///
/// Example i of a split is a pure function of config.matching.seed, the split and i.
Dataset draw_matching_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
