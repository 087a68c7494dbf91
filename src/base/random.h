#pragma once

#include <array>
#include <cstdint>

namespace asap::base {

/// The purpose of random numbers. Two purposes never share numbers, whatever the seed.
enum class RandomPurpose : std::uint32_t {
  initialisation = 1,
  shuffle = 2,
  dropout = 3,
  augmentation = 4,
  generated_data = 5,
  calibration = 6,
  slices = 7,
  region = 8,
  test = 9,
  iterations = 10,
};

/// A stream of random numbers that is a pure function of (seed, purpose, first, second): no hidden
/// state travels between threads or steps, so results do not depend on the number of threads and a
/// resumed run draws what the uninterrupted one would have drawn.
///
/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011;
/// Random123).
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint32_t first = 0,
               std::uint32_t second = 0);

  std::uint32_t next();
  /// Uniform in [0, 1) with 53 random bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Box-Muller).
  double normal();
  /// Uniform integer in [0, count), unbiased. count > 0.
  std::uint64_t below(std::uint64_t count);

 private:
  std::uint64_t seed_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

}  // namespace asap::base
