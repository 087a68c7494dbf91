#include "base/random.h"

#include <cmath>
#include <numbers>

#include <Random123/philox.h>

#include "base/error.h"

namespace asap::base {

RandomStream::RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint32_t first,
                           std::uint32_t second)
    : seed_(seed), counter_{0, static_cast<std::uint32_t>(purpose), first, second} {}

std::uint32_t RandomStream::next() {
  if (used_ == 4) {
    const r123::Philox4x32::ctr_type counter = {
        {counter_[0], counter_[1], counter_[2], counter_[3]}};
    const r123::Philox4x32::key_type key = {
        {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)}};
    const auto block = r123::Philox4x32{}(counter, key);
    for (int i = 0; i < 4; ++i) block_[i] = block[i];
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

double RandomStream::uniform() {
  const std::uint64_t high = next() >> 5;  // 27 bits
  const std::uint64_t low = next() >> 6;   // 26 bits
  return static_cast<double>((high << 26) | low) * 0x1.0p-53;
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::uint64_t RandomStream::below(std::uint64_t count) {
  check(count > 0, "RandomStream::below: count must be positive");
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % count;
  std::uint64_t draw = 0;
  do {
    draw = (static_cast<std::uint64_t>(next()) << 32) | next();
  } while (draw >= limit);
  return draw % count;
}

}  // namespace asap::base
