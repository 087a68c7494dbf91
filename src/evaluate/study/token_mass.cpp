#include "evaluate/study/token_mass.h"

#include <algorithm>

#include "text/text_codec.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kClassToken = -1;

std::string name_of(const data::Dataset& dataset, std::int64_t key) {
  if (key == kClassToken) return "class token";
  if (dataset.kind != data::ExampleKind::tokens) return "position " + std::to_string(key);
  if (dataset.codec) return dataset.codec->tokenizer->piece(static_cast<std::int32_t>(key));
  return "token " + std::to_string(key);
}

}  // namespace

void TokenMassSums::add(int layer, std::int64_t token, double mass) {
  Sum& sum = layers_[layer][token];
  ++sum.occurrences;
  sum.mass += mass;
}

void TokenMassSums::add(const TokenMassSums& other) {
  for (const auto& [layer, tokens] : other.layers_)
    for (const auto& [token, part] : tokens) {
      Sum& sum = layers_[layer][token];
      sum.occurrences += part.occurrences;
      sum.mass += part.mass;
    }
}

std::vector<LayerMasses> TokenMassSums::extremes(const data::Dataset& dataset, std::size_t count,
                                                 std::int64_t occurrences) const {
  std::vector<LayerMasses> all;
  for (const auto& [layer, tokens] : layers_) {
    std::vector<TokenMass> masses;
    for (const auto& [token, sum] : tokens)
      if (sum.occurrences >= occurrences)
        masses.push_back({name_of(dataset, token), sum.occurrences,
                          sum.mass / static_cast<double>(sum.occurrences)});
    std::ranges::stable_sort(masses, std::greater<>(), &TokenMass::mass);
    const std::size_t half = std::min(count, masses.size() / 2);
    LayerMasses& layer_masses = all.emplace_back();
    layer_masses.most.assign(masses.begin(), masses.begin() + static_cast<std::ptrdiff_t>(half));
    layer_masses.least.assign(masses.rbegin(), masses.rbegin() + static_cast<std::ptrdiff_t>(half));
  }
  return all;
}

std::int64_t token_key(const data::Dataset& dataset, std::int64_t example, std::int64_t place,
                       bool class_token) {
  if (class_token && place == 0) return kClassToken;
  const std::int64_t index = place - (class_token ? 1 : 0);
  if (dataset.kind != data::ExampleKind::tokens) return index;
  return dataset
      .ids[static_cast<std::size_t>(dataset.offsets[static_cast<std::size_t>(example)] + index)];
}

}  // namespace asap::evaluate
