#include "nn/matcher.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "autodiff/matching_ops.h"
#include "gradient/gradient_check.h"
#include "support/share.h"

using namespace asap;
using namespace asap::test;

namespace {

config::MatcherConfig small_matcher(config::MatcherOutput output) {
  config::MatcherConfig config;
  config.width = 4;
  config.layers = 1;
  config.output = output;
  config.iterations = 3;
  config.descriptor_width = 5;
  return config;
}

/// The loss of one pair of 4 and 3 keypoints, and its gradient.
double loss_of(const nn::Matcher<double>& model, tensor::VectorView<double> gradient) {
  static const auto k0 = random_tensor({4, 11}, 1), k1 = random_tensor({3, 11}, 2);
  static const auto d0 = random_tensor({4, 5}, 3), d1 = random_tensor({3, 5}, 4);
  const std::vector<std::int32_t> rows{1, -1, -2, 0}, columns{3, 0, -1};
  autodiff::Tape<double> tape;
  tape.bind(model.parameters(), gradient);
  attention::AttentionEvidence evidence;
  autodiff::TransportEvidence transport;
  nn::PassContext<double> pass{tape, evidence};
  const autodiff::Var<double> loss = autodiff::assignment_loss<double>(
      model.forward(pass, {k0.view(), d0.view()}, {k1.view(), d1.view()}, transport),
      {rows, columns}, 1);
  if (!gradient.empty()) tape.backward(loss);
  return loss.value().data[0];
}

}  // namespace

TEST_CASE("a matcher's gradients are right, with dustbins and with dual softmax") {
  for (const auto output : {config::MatcherOutput::dustbin, config::MatcherOutput::dual_softmax}) {
    nn::Matcher<double> model(small_matcher(output), 3);
    base::RandomStream random(5, base::RandomPurpose::test);
    for (double& value : model.parameters().flat()) value += .3 * random.normal();
    std::vector<double> gradient(model.parameters().flat().size());
    loss_of(model, gradient);
    double error = 0, largest = 0;
    std::int64_t index = 0;
    for (const auto& entry : model.parameters().entries())
      for (std::int64_t i = entry.offset; i < entry.offset + entry.shape.size(); ++i) {
        if (!in_share(index++)) continue;
        double& value = model.parameters().flat()[static_cast<std::size_t>(i)];
        const double kept = value;
        const auto slope = [&](double h) {
          value = kept + h;
          const double above = loss_of(model, {});
          value = kept - h;
          const double below = loss_of(model, {});
          value = kept;
          return (above - below) / (2 * h);
        };
        const double expected = (4 * slope(1e-4) - slope(2e-4)) / 3;
        error = std::max(error, std::abs(expected - gradient[static_cast<std::size_t>(i)]));
        largest = std::max(largest, std::abs(expected));
      }
    CHECK(error / largest < kGradientTolerance);
  }
}
