#include "infer/matcher.h"

#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "base/random.h"
#include "infer/match_pairs.h"
#include "support/expect_error.h"
#include "support/keypoint_files.h"
#include "support/small_matcher.h"

using namespace asap;
using namespace asap::test;

namespace {

config::MatcherConfig two_layers(config::MatcherOutput output) {
  config::MatcherConfig config = small_matcher(output);
  config.layers = 2;
  config.iterations = 4;
  return config;
}

/// A network that has left its first weights.
std::unique_ptr<nn::Matcher<float>> moved_network(const config::MatcherConfig& config) {
  auto model = std::make_unique<nn::Matcher<float>>(config, 3);
  base::RandomStream random(5, base::RandomPurpose::test);
  for (float& value : model->parameters().flat())
    value += .2F * static_cast<float>(random.normal());
  return model;
}

}  // namespace

TEST_CASE("inference computes the assignment that training does") {
  const data::KeypointPairs pairs =
      data::KeypointPairs::parse(drawn_keypoints(), config::DescriptorKind::histogram);
  data::KeypointSample sample;
  data::fill_sample(pairs, 0, 0, 1, sample);
  sample.images[1].inputs = tensor::Tensor<float>({3, 11});  // N != M
  sample.images[1].descriptors = tensor::Tensor<float>({3, 16});
  for (float& value : sample.images[1].descriptors.flat()) value = .1F;
  const auto& [first, second] = sample.images;
  for (const auto output : {config::MatcherOutput::dustbin, config::MatcherOutput::dual_softmax}) {
    const auto model = moved_network(two_layers(output));
    autodiff::Tape<float> tape;
    tape.bind(model->parameters(), {});
    attention::AttentionEvidence evidence;
    autodiff::TransportEvidence transport;
    nn::PassContext<float> pass{tape, evidence};
    const autodiff::Var<float> expected =
        model->forward(pass, {first.inputs.view(), first.descriptors.view()},
                       {second.inputs.view(), second.descriptors.view()}, transport);
    const infer::Matcher matcher = inference_of(*model);
    tensor::Arena arena;
    const infer::MatcherScores scores =
        matcher.scores({first.inputs.rows(), first.descriptors.rows()},
                       {second.inputs.rows(), second.descriptors.rows()}, arena);
    tensor::Tensor<float> plan({17, 4});
    matcher.assign(scores, {.iterations = 4}, plan.rows(), arena);
    for (std::int64_t i = 0; i < 17; ++i)
      for (std::int64_t j = 0; j < 4; ++j)
        // Both sum in float32; entries are at most 16.
        CHECK(plan.rows()(i, j) ==
              doctest::Approx(std::exp(expected.value().rows()(i, j))).epsilon(1e-4));
  }
}

TEST_CASE("rows of an assignment by transport sum to one, its dustbin to the other set") {
  const auto model = moved_network(two_layers(config::MatcherOutput::dustbin));
  const infer::Matcher matcher = inference_of(*model);
  tensor::Arena arena;
  infer::MatcherScores scores;
  scores.scores = arena.matrix<float>(5, 3);
  for (std::int64_t i = 0; i < 15; ++i) scores.scores.data[i] = std::sin(static_cast<float>(7 * i));
  scores.bin = .5F;
  tensor::Tensor<float> plan({6, 4});
  matcher.assign(scores, {.iterations = 3}, plan.rows(), arena);
  for (std::int64_t i = 0; i < 6; ++i) {
    const auto row = plan.rows().row(i);
    CHECK(std::accumulate(row.begin(), row.end(), 0.0) ==
          doctest::Approx(i < 5 ? 1 : 3).epsilon(1e-5));
  }
}

TEST_CASE("images without keypoints, with one, and equal keypoints have defined matches") {
  for (const auto output : {config::MatcherOutput::dustbin, config::MatcherOutput::dual_softmax}) {
    const auto model = moved_network(two_layers(output));
    const infer::Matcher matcher = inference_of(*model);
    for (const auto& [partners, alone] : {std::pair{0, 0}, {1, 0}, {0, 1}}) {
      const data::KeypointPairs pairs =
          data::KeypointPairs::parse(drawn_keypoints({.partners = partners, .alone = alone}),
                                     config::DescriptorKind::histogram);
      for (const infer::Matches& matches :
           infer::match_pairs(matcher, pairs, {.iterations = 5}, 0, 2)) {
        CHECK(std::ssize(matches.partners) == partners + alone);
        for (const float confidence : matches.confidences) CHECK(std::isfinite(confidence));
      }
    }
    io::TensorFile equal = drawn_keypoints({.pairs = 1});
    for (const std::string e : {"0", "1"}) {
      tensor::Tensor<float> keypoints({16, 5});
      for (float& value : keypoints.flat()) value = 5;
      equal.put("keypoints" + e, keypoints);
      equal.put("descriptors" + e, tensor::Tensor<std::uint8_t>({16, 16}));
    }
    const data::KeypointPairs pairs =
        data::KeypointPairs::parse(equal, config::DescriptorKind::histogram);
    const infer::Matches matches = infer::match_pairs(matcher, pairs, {.iterations = 5}, 0, 1)[0];
    for (std::size_t i = 1; i < 16; ++i) CHECK(matches.partners[i] == -1);
  }
}

TEST_CASE("descriptors that the network does not read are refused") {
  const data::KeypointPairs pairs =
      data::KeypointPairs::parse(drawn_keypoints({.width = 12}), config::DescriptorKind::histogram);
  const auto config = two_layers(config::MatcherOutput::dustbin);
  expect_error<base::DataError>([&] { infer::require_descriptors(config, pairs); },
                                {"pairs.npz", "histogram of 12", "histogram of 16", "detector"});
}
