#include "data/texts/majority_dataset.h"

#include <algorithm>

#include "base/random.h"
#include "data/token_range.h"

namespace asap::data {
namespace {

/// One sequence: a third of its tokens (at least one) are the class's own, the others anything that
/// keeps every other class's number below that.
void draw_sequence(std::int32_t label, const config::DataConfig& config, base::RandomStream& random,
                   std::vector<std::int32_t>& ids) {
  const config::MajorityConfig& majority = config.majority;
  const std::int64_t lengths = std::int64_t{majority.max_tokens} - majority.min_tokens + 1;
  const auto length = static_cast<std::size_t>(majority.min_tokens) +
                      random.below(static_cast<std::uint64_t>(lengths));
  const std::size_t own = std::max<std::size_t>(length / 3, 1);
  std::vector<std::size_t> counts(static_cast<std::size_t>(config.classes));
  std::vector<std::int32_t> sequence(own, label + 1);
  const std::int64_t kinds = std::int64_t{config.classes} + majority.other_tokens;
  while (sequence.size() < length) {
    const auto id = static_cast<std::int32_t>(1 + random.below(static_cast<std::uint64_t>(kinds)));
    const auto other = static_cast<std::size_t>(id - 1);
    if (id - 1 == label) continue;
    if (other < counts.size() && ++counts[other] >= own) continue;
    sequence.push_back(id);
  }
  for (std::size_t left = length; left > 1; --left)
    std::swap(sequence[left - 1], sequence[random.below(left)]);
  ids.insert(ids.end(), sequence.begin(), sequence.end());
}

}  // namespace

Dataset draw_majority_dataset(const config::DataConfig& config, Split split) {
  const config::MajorityConfig& majority = config.majority;
  check_token_range("data.majority", majority);
  Dataset dataset;
  dataset.name = std::string("majority ") + split_name(split);
  dataset.kind = ExampleKind::tokens;
  dataset.vocabulary = 1 + config.classes + majority.other_tokens;
  dataset.max_tokens = majority.max_tokens;
  for (int label = 0; label < config.classes; ++label)
    dataset.class_names.push_back("token " + std::to_string(label + 1));
  // Classes are letters, what only disturbs is in brackets.
  dataset.token_name = [classes = config.classes](const Dataset& drawn, std::int64_t position) {
    const std::int32_t id = drawn.ids[static_cast<std::size_t>(position)];
    if (id > classes) return "(" + std::to_string(id) + ")";
    return id <= 26 ? std::string(1, static_cast<char>('A' + id - 1)) : std::to_string(id);
  };
  dataset.offsets = {0};
  const int count = split == Split::train ? majority.examples : majority.test_examples;
  for (int i = 0; i < count; ++i) {
    base::RandomStream random(majority.seed, base::RandomPurpose::generated_data,
                              static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(split));
    const auto label =
        static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(config.classes)));
    draw_sequence(label, config, random, dataset.ids);
    dataset.labels.push_back(label);
    dataset.offsets.push_back(static_cast<std::int64_t>(dataset.ids.size()));
  }
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace asap::data
