#include "activation/region_unfolding.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "region/network/region_count.h"
#include "support/channel_networks.h"
#include "tensor/core/tensor.h"
#include "tensor/kernels/channel_networks.h"

using namespace asap::activation;
using namespace asap::region;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// F(z) as activation/region_unfolding.h writes it.
double constrained_function(const RegionInterval& interval, MatrixView<const double> peaks,
                            std::int64_t channel, double z) {
  const int depth = region_depth(peaks.rows);
  std::vector<double> a;
  for (int i = 0; i <= depth; ++i) a.push_back(1 / (1 + std::exp(-peaks(i, channel))));
  const double u = (z - interval.low) / (interval.high - interval.low);
  double result = peaks(depth + 1, channel) + peaks(depth + 2, channel) * u;
  double w = u, scale = 1;
  for (int i = 0; i < depth; ++i) {
    w = std::max(w, 0.0) / a[i] - std::max(w - a[i], 0.0) / (a[i] - a[i] * a[i]);
    scale = i == 0 ? a[0] * (1 - a[0]) * a[1] : scale * (1 - a[i]) * a[i + 1];
    result += peaks(depth + 3, channel) * scale * w;
  }
  return result;
}

}  // namespace

TEST_CASE("unfolded weights compute the constrained function, inside its interval and beyond") {
  const RegionInterval interval{-2, 3};
  for (const int depth : {1, 2, 3, 5, 8}) {
    const Tensor<double> peaks = random_matrix<double>(region_rows(depth), 4, 6);
    Tensor<double> weights({ChannelNetworkLayout{depth}.count(), 4});
    unfold_regions<double>(interval, peaks.rows(), weights.rows());
    Tensor<double> x({101, 4}), out({101, 4});
    for (std::int64_t r = 0; r < 101; ++r)
      for (std::int64_t c = 0; c < 4; ++c) x.rows()(r, c) = -4.5 + 0.1 * static_cast<double>(r);
    channel_networks<double>(depth, x.rows(), weights.rows(), out.rows());
    double error = 0;
    for (std::int64_t r = 0; r < 101; ++r)
      for (std::int64_t c = 0; c < 4; ++c)
        error =
            std::max(error, std::abs(out.rows()(r, c) - constrained_function(interval, peaks.rows(),
                                                                             c, x.rows()(r, c))));
    CAPTURE(depth);
    CHECK(error < 1e-12);
  }
}

TEST_CASE("unfolded networks have exactly 2^depth linear regions for random peaks") {
  const RegionInterval interval{-2, 3};
  for (const int depth : {1, 2, 3, 5, 8}) {
    const Tensor<double> peaks = random_matrix<double>(region_rows(depth), 6, 8, 0.7);
    Tensor<double> weights({ChannelNetworkLayout{depth}.count(), 6});
    unfold_regions<double>(interval, peaks.rows(), weights.rows());
    for (std::int64_t c = 0; c < 6; ++c) {
      const RegionCount count = count_regions(network_of<double>(depth, weights.rows(), c),
                                              {interval.low, interval.high});
      CAPTURE(depth);
      CHECK(count.linear_regions == std::int64_t{1} << depth);
    }
  }
}
