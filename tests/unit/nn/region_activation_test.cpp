#include "nn/region_activation.h"

#include <cmath>

#include <doctest/doctest.h>

#include "config/model_config.h"
#include "nn/module.h"
#include "tensor/kernels/channel_networks.h"

using namespace asap::autodiff;
using namespace asap::config;
using namespace asap::nn;
using namespace asap::tensor;

TEST_CASE("learned activations start as the parabola nearest to ReLU") {
  for (const int depth : {1, 3, 6}) {
    ParameterStore<double> store;
    FeedForwardConfig config;
    config.depth = depth;
    config.interval = 4;
    const RegionActivation<double> activation(ParameterBuilder<double>(store, 1), config, 2);
    Tensor<double> x({81, 2}), out({81, 2});
    for (std::int64_t i = 0; i < 162; ++i) x[i] = -4 + 0.1 * static_cast<double>(i / 2);
    channel_networks<double>(depth, x.rows(), store.value(activation.weights()).rows(), out.rows());
    const double step =
        8.0 / (1 << depth);  // of the pieces, straight between points of the parabola
    for (std::int64_t i = 0; i < 162; ++i) {
      const double parabola = x[i] / 2 + 3 * 4 / 32.0 + 15 * x[i] * x[i] / (32 * 4);
      CHECK(std::abs(out[i] - parabola) <= 15.0 / 128 * step * step / 4 + 1e-12);
    }
  }
}
