#include "autodiff/channel_network_ops.h"

#include <doctest/doctest.h>

#include "gradient/gradient_check.h"
#include "tensor/kernels/channel_networks.h"

using namespace asap::activation;
using namespace asap::autodiff;
using namespace asap::tensor;
using namespace asap::test;

using Leaves = std::vector<Var<double>>;
using TapeD = Tape<double>;

TEST_CASE("channel networks have the right gradient in input and weights for every depth") {
  for (int depth = 1; depth <= ChannelNetworkLayout::kMaxDepth; ++depth) {
    CAPTURE(depth);
    const Shape weights = {ChannelNetworkLayout{depth}.count(), 9};
    CHECK(gradient_error(
              [=](TapeD&, const Leaves& x) { return channel_networks(x[0], x[1], depth); },
              {random_tensor({2, 3, 9}, 1), random_tensor(weights, 2, 0.7)}) < kGradientTolerance);
  }
}

TEST_CASE("a channel network whose input is used elsewhere, too, adds its gradient") {
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) {
              const Var<double> once = channel_networks(x[0], x[1], 2);
              return add(channel_networks(once, x[1], 2), x[0]);
            },
            {random_tensor({5, 3}, 1), random_tensor({33, 3}, 2, 0.7)}) < kGradientTolerance);
}

TEST_CASE("unfolding peaks to weights has the right gradient for every depth") {
  for (int depth = 1; depth <= ChannelNetworkLayout::kMaxDepth; ++depth) {
    CAPTURE(depth);
    CHECK(gradient_error(
              [](TapeD&, const Leaves& x) {
                return unfold_regions(x[0], RegionInterval{-2, 3});
              },
              {random_tensor({region_rows(depth), 5}, 3)}) < kGradientTolerance);
  }
}

TEST_CASE("the gradient goes through unfolding and networks to the peaks") {
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) {
              return channel_networks(x[0], unfold_regions(x[1], RegionInterval{-4, 4}), 3);
            },
            {random_tensor({6, 5}, 4), random_tensor({region_rows(3), 5}, 5)}) <
        kGradientTolerance);
}
