#include "data/points/matching_dataset.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/random.h"

namespace asap::data {
namespace {

/// Appends one example to the data.
void draw_example(const config::MatchingConfig& matching, int classes, base::RandomStream& random,
                  Dataset& dataset) {
  const auto pairs = static_cast<std::size_t>(matching.pairs);
  const auto code_width = static_cast<std::size_t>(matching.code_width);
  std::vector<double> codes(pairs * code_width);
  for (double& value : codes) value = random.normal();
  std::vector<std::int32_t> payloads(pairs);
  for (std::int32_t& payload : payloads)
    payload = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(classes)));
  // Before they are shuffled, tokens 0..P-1 are queries and P..2P-1 answers.
  std::vector<std::size_t> order(2 * pairs);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t left = order.size(); left > 1; --left)
    std::swap(order[left - 1], order[random.below(left)]);
  for (const std::size_t token : order) {
    const std::size_t pair = token % pairs;
    const bool query = token < pairs;
    dataset.points.push_back(query ? 1.0f : 0.0f);
    dataset.points.push_back(query ? 0.0f : 1.0f);
    for (std::size_t k = 0; k < code_width; ++k)
      dataset.points.push_back(
          static_cast<float>(codes[pair * code_width + k] + matching.noise * random.normal()));
    for (std::int32_t label = 0; label < classes; ++label)
      dataset.points.push_back(!query && payloads[pair] == label ? 1.0f : 0.0f);
    dataset.labels.push_back(query ? payloads[pair] : kNotScored);
  }
  dataset.offsets.push_back(dataset.offsets.back() + std::int64_t{2} * matching.pairs);
}

}  // namespace

Dataset draw_matching_dataset(const config::DataConfig& config, Split split) {
  const config::MatchingConfig& matching = config.matching;
  Dataset dataset;
  dataset.name = std::string("matching ") + split_name(split);
  dataset.kind = ExampleKind::points;
  dataset.point_width = 2 + matching.code_width + config.classes;
  dataset.labels_tokens = true;
  for (int label = 0; label < config.classes; ++label)
    dataset.class_names.push_back("payload " + std::to_string(label));
  // An answer shows its payload, a query the payload that it should find.
  dataset.token_name = [classes = config.classes](const Dataset& drawn, std::int64_t position) {
    const float* point = drawn.points.data() + position * drawn.point_width;
    if (point[0] > 0)
      return "query " + std::to_string(drawn.labels[static_cast<std::size_t>(position)]);
    const float* payloads = point + drawn.point_width - classes;
    return "answer " + std::to_string(std::max_element(payloads, payloads + classes) - payloads);
  };
  dataset.offsets = {0};
  const int count = split == Split::train ? matching.examples : matching.test_examples;
  for (int i = 0; i < count; ++i) {
    base::RandomStream random(matching.seed, base::RandomPurpose::generated_data,
                              static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(split));
    draw_example(matching, config.classes, random, dataset);
  }
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace asap::data
