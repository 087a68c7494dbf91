#include "tensor/kernels/channel_networks.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "activation/region_unfolding.h"
#include "base/random.h"
#include "region/family/folded_function.h"
#include "region/network/region_count.h"
#include "support/expect_error.h"
#include "tensor/core/tensor.h"

using namespace asap::activation;
using namespace asap::base;
using namespace asap::region;
using namespace asap::tensor;
using namespace asap::test;

namespace {

template <class T>
Tensor<T> random_matrix(std::int64_t rows, std::int64_t cols, std::uint32_t which,
                        double deviation = 1) {
  Tensor<T> tensor({rows, cols});
  RandomStream random(5, RandomPurpose::test, which);
  for (T& value : tensor.flat()) value = static_cast<T>(deviation * random.normal());
  return tensor;
}

/// The network of one channel as ordinary layers.
template <class T>
ReluNetwork network_of(int depth, MatrixView<const T> weights, std::int64_t channel) {
  const ChannelNetworkLayout at{depth};
  const auto number = [&](int row) { return static_cast<double>(weights(row, channel)); };
  ReluNetwork network;
  for (int layer = 0; layer <= depth; ++layer) {
    DenseLayer dense(layer == depth ? 1 : 4, layer == 0 ? 1 : 4);
    for (int out = 0; out < dense.outputs(); ++out) {
      for (int in = 0; in < dense.inputs(); ++in)
        dense.w(out, in) = number(layer == 0       ? at.first_weight(out)
                                  : layer == depth ? at.last_weight(in)
                                                   : at.weight(layer, out, in));
      dense.bias[static_cast<std::size_t>(out)] = number(layer == 0       ? at.first_bias(out)
                                                         : layer == depth ? at.last_bias()
                                                                          : at.bias(layer, out));
    }
    network.layers.push_back(dense);
  }
  return network;
}

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

TEST_CASE_TEMPLATE("channel networks equal ordinary layers evaluated one value at a time", T, float,
                   double) {
  for (const int depth : {1, 2, 3, 8})
    for (const std::int64_t channels : {1, 7, 16, 37}) {
      const Tensor<T> weights =
          random_matrix<T>(ChannelNetworkLayout{depth}.count(), channels, 1, 0.6);
      const Tensor<T> x = random_matrix<T>(11, channels, 2, 2);
      Tensor<T> out({11, channels});
      channel_networks<T>(depth, x.rows(), weights.rows(), out.rows());
      double error = 0, size = 0;
      for (std::int64_t c = 0; c < channels; ++c) {
        const ReluNetwork network = network_of<T>(depth, weights.rows(), c);
        for (std::int64_t r = 0; r < 11; ++r) {
          const double expected = network(static_cast<double>(x.rows()(r, c)));
          error = std::max(error, std::abs(expected - static_cast<double>(out.rows()(r, c))));
          size = std::max(size, std::abs(expected));
        }
      }
      CAPTURE(depth);
      CAPTURE(channels);
      CHECK(error < size * (sizeof(T) == 4 ? 1e-5 : 1e-13));
    }
}

TEST_CASE("channel networks may write over their input and read parts of wider matrices") {
  const Tensor<double> weights = random_matrix<double>(53, 12, 1, 0.6);
  const Tensor<double> wide = random_matrix<double>(9, 20, 2);
  Tensor<double> apart({9, 5}), within = random_matrix<double>(9, 20, 2);
  channel_networks<double>(3, wide.rows().block(0, 4, 9, 5), weights.rows().block(0, 2, 53, 5),
                           apart.rows());
  const MatrixView<double> part = within.rows().block(0, 4, 9, 5);
  channel_networks<double>(3, part, weights.rows().block(0, 2, 53, 5), part);
  for (std::int64_t r = 0; r < 9; ++r) {
    for (std::int64_t c = 0; c < 5; ++c) CHECK(part(r, c) == apart.rows()(r, c));
    CHECK(within.rows()(r, 3) == wide.rows()(r, 3));
    CHECK(within.rows()(r, 9) == wide.rows()(r, 9));
  }
}

TEST_CASE("channel networks refuse depths and shapes that do not fit") {
  Tensor<float> weights({53, 4}), x({2, 4}), out({2, 4}), narrow({2, 3});
  CHECK_THROWS_AS(channel_networks<float>(0, x.rows(), weights.rows(), out.rows()), InternalError);
  CHECK_THROWS_AS(channel_networks<float>(9, x.rows(), weights.rows(), out.rows()), InternalError);
  CHECK_THROWS_AS(channel_networks<float>(2, x.rows(), weights.rows(), out.rows()), InternalError);
  CHECK_THROWS_AS(channel_networks<float>(3, x.rows(), weights.rows(), narrow.rows()),
                  InternalError);
}

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
