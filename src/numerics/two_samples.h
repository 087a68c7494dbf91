#pragma once

#include <cstdint>
#include <span>

namespace asap::numerics {

/// Kolmogorov and Smirnov's distance of two samples: the largest difference of their empirical
/// distribution functions, between 0 and 1. Both ascend; InternalError when one is empty.
double kolmogorov_smirnov_distance(std::span<const float> one, std::span<const float> other);

/// The probability that two samples of these sizes from one continuous distribution are at least
/// this far apart: the asymptotic series with Stephens's correction for small samples (1970). Equal
/// values make the true probability smaller.
double kolmogorov_smirnov_probability(double distance, std::int64_t one, std::int64_t other);

}  // namespace asap::numerics
