#include "data/texts/listops_dataset.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/data_folder.h"
#include "data/token_range.h"

namespace asap::data {
namespace {

// Token ids: kUnknownToken, then digits, operators and the closing bracket.
constexpr std::int32_t kFirstDigit = 1;
constexpr std::int32_t kFirstOperator = 11;
constexpr std::array<const char*, 4> kOperators = {"[MIN", "[MAX", "[MED", "[SM"};
constexpr std::int32_t kClose = kFirstOperator + 4;
constexpr int kVocabulary = kClose + 1;
constexpr double kListProbability = 0.25;
constexpr int kMostTries = 1'000'000;

int apply_operator(std::int32_t which, std::vector<int>& values) {
  switch (which) {
    case 0:
      return std::ranges::min(values);
    case 1:
      return std::ranges::max(values);
    case 2: {
      std::ranges::sort(values);
      const std::size_t middle = values.size() / 2;
      return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
    default:
      return std::accumulate(values.begin(), values.end(), 0) % 10;
  }
}

/// Draws expressions; gives one up as soon as it is too long.
class Drawer {
 public:
  Drawer(const config::ListopsConfig& config, base::RandomStream& random,
         std::vector<std::int32_t>& ids)
      : config_(config), random_(random), ids_(ids), first_(ids.size()) {}

  /// Appends a list at this depth and returns its value; -1 when it became too long.
  int list(int depth) {
    const auto which = static_cast<std::int32_t>(random_.below(kOperators.size()));
    ids_.push_back(kFirstOperator + which);
    const std::uint64_t arguments =
        2 + random_.below(static_cast<std::uint64_t>(config_.max_arguments - 1));
    std::vector<int> values;
    for (std::uint64_t i = 0; i < arguments; ++i) {
      values.push_back(place(depth + 1));
      if (values.back() < 0) return -1;
    }
    ids_.push_back(kClose);
    return too_long() ? -1 : apply_operator(which, values);
  }

 private:
  bool too_long() const {
    return ids_.size() - first_ > static_cast<std::size_t>(config_.max_tokens);
  }

  int place(int depth) {
    if (depth <= config_.max_depth && random_.uniform() < kListProbability) return list(depth);
    const auto digit = static_cast<std::int32_t>(random_.below(10));
    ids_.push_back(kFirstDigit + digit);
    return too_long() ? -1 : digit;
  }

  const config::ListopsConfig& config_;
  base::RandomStream& random_;
  std::vector<std::int32_t>& ids_;
  std::size_t first_;
};

/// Appends the tokens of one example and returns its value.
int draw_example(const config::ListopsConfig& config, base::RandomStream& random,
                 std::vector<std::int32_t>& ids) {
  const std::size_t first = ids.size();
  for (int tries = 0; tries < kMostTries; ++tries) {
    const int value = Drawer(config, random, ids).list(1);
    if (value >= 0 && ids.size() - first >= static_cast<std::size_t>(config.min_tokens))
      return value;
    ids.resize(first);
  }
  throw base::UsageError("data.listops: found no expression of " +
                             std::to_string(config.min_tokens) + " to " +
                             std::to_string(config.max_tokens) + " tokens",
                         "widen the range, or raise data.listops.max_depth or max_arguments");
}

/// Reads an expression from its tokens.
class Reader {
 public:
  explicit Reader(std::span<const std::int32_t> ids) : ids_(ids) {}

  int place() {
    const std::int32_t id = next();
    if (id >= kFirstDigit && id < kFirstOperator) return id - kFirstDigit;
    base::check(id >= kFirstOperator && id < kClose,
                "evaluate_listops: expected a digit or a list");
    std::vector<int> values;
    while (position_ < ids_.size() && ids_[position_] != kClose) values.push_back(place());
    base::check(next() == kClose && !values.empty(), "evaluate_listops: an empty or open list");
    return apply_operator(id - kFirstOperator, values);
  }

  bool at_end() const { return position_ == ids_.size(); }

 private:
  std::int32_t next() {
    base::check(position_ < ids_.size(), "evaluate_listops: ends early");
    return ids_[position_++];
  }

  std::span<const std::int32_t> ids_;
  std::size_t position_ = 0;
};

}  // namespace

int evaluate_listops(std::span<const std::int32_t> ids) {
  Reader reader(ids);
  const int value = reader.place();
  base::check(reader.at_end(), "evaluate_listops: tokens after the expression");
  return value;
}

std::string listops_token(std::int32_t id) {
  if (id == kClose) return "]";
  if (id >= kFirstOperator && id < kClose)
    return kOperators[static_cast<std::size_t>(id - kFirstOperator)];
  if (id >= kFirstDigit && id < kFirstOperator) return std::to_string(id - kFirstDigit);
  return "?";
}

Dataset draw_listops_dataset(const config::DataConfig& config, Split split) {
  const config::ListopsConfig& listops = config.listops;
  if (config.classes != 10)
    throw base::UsageError("data.classes is " + std::to_string(config.classes) +
                               ", but the value of a ListOps expression is one of ten digits",
                           "--set data.classes=10");
  check_token_range("data.listops", listops);
  Dataset dataset;
  dataset.name = std::string("listops ") + split_name(split);
  dataset.kind = ExampleKind::tokens;
  dataset.vocabulary = kVocabulary;
  dataset.max_tokens = listops.max_tokens;
  dataset.class_names = numbered_classes(10);
  dataset.token_name = [](const Dataset& drawn, std::int64_t position) {
    return listops_token(drawn.ids[static_cast<std::size_t>(position)]);
  };
  dataset.offsets = {0};
  const int count = split == Split::train ? listops.examples : listops.test_examples;
  for (int i = 0; i < count; ++i) {
    base::RandomStream random(listops.seed, base::RandomPurpose::generated_data,
                              static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(split));
    dataset.labels.push_back(draw_example(listops, random, dataset.ids));
    dataset.offsets.push_back(static_cast<std::int64_t>(dataset.ids.size()));
  }
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace asap::data
