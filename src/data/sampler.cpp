#include "data/sampler.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/random.h"

namespace asap::data {

namespace {

/// The numbers below `count` in random order.
std::vector<std::int64_t> shuffled(std::int64_t count, base::RandomStream& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t left = order.size(); left > 1; --left)
    std::swap(order[left - 1], order[random.below(left)]);
  return order;
}

}  // namespace

std::vector<std::int64_t> epoch_order(std::int64_t examples, std::uint64_t seed,
                                      std::uint32_t epoch) {
  base::RandomStream random(seed, base::RandomPurpose::shuffle, epoch);
  return shuffled(examples, random);
}

void sort_in_pools(std::span<std::int64_t> order, const SamplerConfig& config,
                   std::span<const std::int64_t> lengths, std::uint32_t epoch) {
  const std::int64_t batches = std::ssize(order) / config.batch;
  base::RandomStream random(config.seed, base::RandomPurpose::shuffle, epoch, 1);
  std::vector<std::int64_t> sorted;
  for (std::int64_t first = 0; first < batches; first += config.length_pool) {
    const std::int64_t count = std::min(config.length_pool, batches - first);
    const auto pool = order.subspan(static_cast<std::size_t>(first * config.batch),
                                    static_cast<std::size_t>(count * config.batch));
    sorted.assign(pool.begin(), pool.end());
    std::ranges::stable_sort(sorted, {}, [&](std::int64_t i) { return lengths[i]; });
    const std::vector<std::int64_t> places = shuffled(count, random);
    for (std::int64_t i = 0; i < count; ++i)
      std::copy_n(sorted.begin() + i * config.batch, config.batch,
                  pool.begin() + places[i] * config.batch);
  }
}

EpochSampler::EpochSampler(const SamplerConfig& config, std::vector<std::int64_t> lengths)
    : config_(config), lengths_(std::move(lengths)) {
  base::check(config_.length_pool < 2 || std::ssize(lengths_) == config_.examples,
              "EpochSampler: pools need the length of every example");
  if (config_.examples < 1) throw base::UsageError("there are no examples to train on");
  if (config_.batch < 1) throw base::UsageError("a batch must hold at least one example");
  if (batches_per_epoch() == 0)
    throw base::UsageError("the batch of " + std::to_string(config_.batch) +
                               " is larger than the " + std::to_string(config_.examples) +
                               " examples",
                           "choose a smaller batch, for example --set train.batch=" +
                               std::to_string(config_.examples));
}

std::int64_t EpochSampler::batches_per_epoch() const {
  const std::int64_t whole = config_.examples / config_.batch;
  return whole + (config_.keep_last_partial && config_.examples % config_.batch != 0 ? 1 : 0);
}

std::span<const std::int64_t> EpochSampler::next() {
  // A new epoch begins here and not after the last batch, so that the span handed out stays valid
  // and a position never names an epoch that may not come.
  if (batch_index_ == batches_per_epoch()) {
    ++epoch_;
    batch_index_ = 0;
    order_.clear();
  }
  if (order_.empty()) {
    order_ = epoch_order(config_.examples, config_.seed, epoch_);
    if (config_.length_pool > 1) sort_in_pools(order_, config_, lengths_, epoch_);
  }
  const std::int64_t first = batch_index_++ * config_.batch;
  const std::int64_t count = std::min(config_.batch, config_.examples - first);
  return std::span(order_).subspan(static_cast<std::size_t>(first),
                                   static_cast<std::size_t>(count));
}

io::Json EpochSampler::position() const {
  io::Json position = {{"epoch", epoch_},
                       {"batch_index", batch_index_},
                       {"examples", config_.examples},
                       {"batch", config_.batch},
                       {"seed", config_.seed},
                       {"keep_last_partial", config_.keep_last_partial}};
  // Positions from before there were pools have none.
  if (config_.length_pool > 1) position["length_pool"] = config_.length_pool;
  return position;
}

void EpochSampler::restore(const io::Json& position, const std::string& source) {
  const auto fail = [&](const std::string& what) -> void {
    throw base::DataError(source + ": the sampler's position " + what);
  };
  if (!position.is_object()) fail("must be an object");
  const io::Json own = this->position();
  for (const auto& [key, value] : own.items()) {
    const auto found = position.find(key);
    if (found == position.end()) fail("lacks '" + key + "'");
    const bool moves = key == "epoch" || key == "batch_index";
    if (moves && !(found->is_number_integer() && *found >= 0))
      fail("has a '" + key + "' that is no natural number");
    if (!moves && *found != value)
      fail("is of another run: " + key + " is " + io::excerpt(io::format_json_line(*found)) +
           ", expected " + io::format_json_line(value));
  }
  const auto epoch = position["epoch"].get<std::uint64_t>();
  const auto batch_index = position["batch_index"].get<std::uint64_t>();
  if (epoch > std::numeric_limits<std::uint32_t>::max() ||
      batch_index > static_cast<std::uint64_t>(batches_per_epoch()))
    fail("lies outside the epoch");
  epoch_ = static_cast<std::uint32_t>(epoch);
  batch_index_ = static_cast<std::int64_t>(batch_index);
  order_.clear();
}

}  // namespace asap::data
