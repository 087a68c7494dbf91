#include "c_source/head_tables.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace asap::c_source {
namespace {

using attention::CompiledHead;
using attention::CompiledMode;

const char* mode_of(const CompiledHead& head) {
  switch (head.mode) {
    case CompiledMode::row_dual:
      return "MODE_ROW_DUAL";
    case CompiledMode::key_bias:
      return "MODE_KEY_BIAS";
    case CompiledMode::sinkhorn:
      return "MODE_LOOP";
  }
  throw base::InternalError("head_tables: an unknown mode");
}

/// The initialiser of one head. `name` begins the names of its arrays.
std::string initialiser(const CompiledHead& head, const std::string& name, Constants& constants) {
  const attention::DualFeatures& has = head.features;
  const auto number = [](const char* field, std::int64_t value) {
    return value == 0 ? std::string()
                      : "." + std::string(field) + " = " + std::to_string(value) + ", ";
  };
  const auto array = [&](const char* field, tensor::VectorView<const float> values) {
    return "." + std::string(field) + " = " + constants.array(name + "." + field, values) + ", ";
  };
  std::string text = "    {.mode = " + std::string(mode_of(head)) + ", ";
  text += ".root = " + float_literal(std::sqrt(head.score_scale), name) + ", ";
  if (!head.predicts()) {
    text += number("iterations", head.iterations);
    return text + ".slack = " + float_literal(head.slack, name) + "},\n";
  }
  if (has.uses_slices())
    text += number("slices", head.query_slices.rows().rows) +
            array("query_slices", head.query_slices.flat()) +
            array("key_slices", head.key_slices.flat());
  if (has.landmarks > 0)
    text += number("landmarks", has.landmarks) + number("landmark_loop", head.teacher_iterations) +
            array("prototypes", head.landmarks.flat());
  text += number("corrections", has.corrections) + number("potential", has.potential) +
          number("gaussian", has.gaussian) + number("linear", has.linear) +
          number("tilt", has.tilt) + number("log_sum_exp", has.log_sum_exp) +
          number("first_dual", has.first_dual);
  return text + ".weights = " + constants.array(name + ".weights", head.weights) + "},\n";
}

}  // namespace

void require_writable(const Heads& heads) {
  for (std::size_t layer = 0; layer < heads.size(); ++layer)
    for (const CompiledHead& head : heads[layer])
      if (head.predicts() && head.slack > 0)
        throw base::UsageError("layer " + std::to_string(layer) +
                                   ": a compiled map with slack cannot be written as C so far",
                               "export `method` teacher, or compile a teacher without slack");
}

std::string head_tables(const Heads& heads, Constants& constants) {
  std::string tables;
  for (std::size_t layer = 0; layer < heads.size(); ++layer) {
    const std::string prefix = "layer_" + std::to_string(layer) + "_head_";
    tables += "static const attention_head heads_" + std::to_string(layer) + "[] = {\n";
    for (std::size_t h = 0; h < heads[layer].size(); ++h)
      tables += initialiser(heads[layer][h].general(), prefix + std::to_string(h), constants);
    tables += "};\n";
  }
  return tables;
}

ScratchSize attention_scratch(const Heads& heads, std::int64_t head_width) {
  constexpr std::int64_t kVectors = 10;  // of one number per token: duals, sums, sorted slices
  std::int64_t features = 0, landmarks = 0, corrections = 0;
  for (const std::vector<CompiledHead>& layer : heads)
    for (const CompiledHead& head : layer) {
      features = std::max(features, head.features.count(head.query_slices.rows().rows));
      landmarks = std::max<std::int64_t>(landmarks, head.features.landmarks);
      corrections = std::max<std::int64_t>(corrections, head.features.corrections);
    }
  return {3 * head_width + features + landmarks + corrections + kVectors,
          2 * head_width + landmarks * (head_width + 3)};
}

}  // namespace asap::c_source
