#include "autodiff/image_ops.h"

#include <doctest/doctest.h>

#include "gradient/gradient_check.h"
#include "support/expect_error.h"

using namespace asap::autodiff;
using namespace asap::base;
using namespace asap::tensor;
using namespace asap::test;

using Leaves = std::vector<Var<double>>;
using TapeD = Tape<double>;

namespace {

/// Running statistics that training does not read.
Var<double> zero_statistics(TapeD& tape, std::int64_t channels) {
  const TensorView<double> statistics = tape.allocate({2, channels});
  for (double& value : statistics.flat()) value = 0;
  return tape.constant(statistics);
}

constexpr BatchNormSettings kTraining{.epsilon = 0.1, .relu = false, .batch_share = 1};
constexpr BatchNormSettings kWithRelu{.epsilon = 0.1, .relu = true, .batch_share = 1};

}  // namespace

TEST_CASE("a convolution has the right gradient in images and filters for every window") {
  for (const std::int64_t side : {1, 3, 5}) {
    CAPTURE(side);
    CHECK(gradient_error([](TapeD&, const Leaves& x) { return convolution(x[0], x[1]); },
                         {random_tensor({2, 4, 3, 2}, 1), random_tensor({3, side * side * 2}, 2)}) <
          kGradientTolerance);
  }
}

TEST_CASE("images that are used elsewhere, too, add their gradients") {
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) {
              const Var<double> once = convolution(x[0], x[1]);
              return add(convolution(once, x[1]), add(once, x[0]));
            },
            {random_tensor({1, 3, 4, 2}, 1), random_tensor({2, 18}, 2)}) < kGradientTolerance);
}

TEST_CASE("batch norm has the right gradient through its moments, with ReLU and without") {
  for (const BatchNormSettings& settings : {kTraining, kWithRelu})
    CHECK(gradient_error(
              [&](TapeD& tape, const Leaves& x) {
                return batch_norm(x[0], x[1], x[2], zero_statistics(tape, 5), settings);
              },
              {random_tensor({2, 3, 2, 5}, 1, 2.0), random_tensor({5}, 2), random_tensor({5}, 3)}) <
          kGradientTolerance);
}

TEST_CASE("pooling has the right gradient, odd edges included") {
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return add(max_pool(x[0]), max_pool(x[0])); },
                       {random_tensor({2, 5, 4, 3}, 1)}) < kGradientTolerance);
}

TEST_CASE("the gradient goes through convolutions, batch norms and pooling to the filters") {
  CHECK(gradient_error(
            [](TapeD& tape, const Leaves& x) {
              Var<double> y = convolution(x[0], x[1]);
              y = batch_norm(y, x[2], x[3], zero_statistics(tape, 3), kWithRelu);
              y = batch_norm(convolution(y, x[4]), x[5], x[6], zero_statistics(tape, 2), kWithRelu);
              return max_pool(y);
            },
            {random_tensor({2, 4, 4, 2}, 1), random_tensor({3, 18}, 2), random_tensor({3}, 3),
             random_tensor({3}, 4), random_tensor({2, 27}, 5), random_tensor({2}, 6),
             random_tensor({2}, 7)}) < kGradientTolerance);
}

TEST_CASE("a step against the gradient of the statistics moves them towards the batch's moments") {
  const Tensor<double> x = random_tensor({2, 1, 2, 1}, 1), one = random_tensor({1}, 2),
                       running = random_tensor({2, 1}, 3);
  TapeD tape;
  const Var<double> statistics = tape.leaf(running.view());
  tape.backward(weighted_sum(batch_norm(tape.leaf(x.view()), tape.leaf(one.view()),
                                        tape.leaf(one.view()), statistics, {.batch_share = 0.25})));
  double mean = 0, variance = 0;
  for (const double value : x.flat()) mean += value / 4;
  for (const double value : x.flat()) variance += (value - mean) * (value - mean) / 4;
  const TensorView<const double> gradient = tape.gradient_of(statistics);
  CHECK(running[0] - 4 * gradient.data[0] == doctest::Approx(mean));
  CHECK(running[1] - 4 * gradient.data[1] == doctest::Approx(variance));
}

TEST_CASE("outside training the running statistics normalise, and there is no gradient") {
  Tensor<double> x({1, 1, 1, 1}), gain({1}), offset({1}), running({2, 1});
  x[0] = 7, gain[0] = 3, offset[0] = 0.5, running[0] = 5, running[1] = 4;
  TapeD tape;
  const Var<double> y =
      batch_norm(tape.leaf(x.view()), tape.leaf(gain.view()), tape.leaf(offset.view()),
                 tape.leaf(running.view()), {.epsilon = 0});
  CHECK(y.value().data[0] == doctest::Approx(3.5));
  expect_error<InternalError>([&] { tape.backward(weighted_sum(y)); }, {"only in training"});
}

TEST_CASE("images and windows of other shapes are refused") {
  const Tensor<double> flat = random_tensor({4, 2}, 1), image = random_tensor({1, 2, 2, 2}, 1),
                       even = random_tensor({1, 8}, 2);
  TapeD tape;
  expect_error<InternalError>([&] { convolution(tape.leaf(flat.view()), tape.leaf(even.view())); },
                              {"[B, height, width, C]"});
  expect_error<InternalError>([&] { convolution(tape.leaf(image.view()), tape.leaf(even.view())); },
                              {"not an odd square"});
  expect_error<InternalError>([&] { max_pool(tape.leaf(flat.view())); }, {"[B, height, width, C]"});
}
