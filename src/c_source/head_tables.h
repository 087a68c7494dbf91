#pragma once

#include <span>
#include <string>
#include <vector>

#include "attention/operators/compiled_operator.h"
#include "c_source/c_text.h"

namespace asap::c_source {

using Heads = std::vector<std::vector<attention::CompiledHead>>;

/// UsageError, which names the layer, when the heads of a layer cannot be written: a dual map with
/// slack.
void require_writable(const Heads& heads);

/// Adds the numbers of all heads to `constants`; returns the tables `heads_0`, `heads_1`, ... of C
/// structs attention_head, one for each layer.
std::string head_tables(const Heads& heads, Constants& constants);

/// What attention needs of the scratch for t tokens: t (t + each) + fixed floats. See attend() in
/// runtime/attention.c.
struct ScratchSize {
  std::int64_t each = 0, fixed = 0;
};
ScratchSize attention_scratch(const Heads& heads, std::int64_t head_width);

}  // namespace asap::c_source
