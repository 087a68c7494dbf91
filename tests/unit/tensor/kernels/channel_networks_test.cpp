#include "tensor/kernels/channel_networks.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "region/network/relu_network.h"
#include "support/channel_networks.h"
#include "tensor/core/tensor.h"

using namespace asap::base;
using namespace asap::region;
using namespace asap::tensor;
using namespace asap::test;

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
