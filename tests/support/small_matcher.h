#pragma once

#include "infer/matcher.h"
#include "nn/matcher.h"
#include "train/checkpoint.h"

namespace asap::test {

/// One layer of width 8 for the descriptors of drawn_keypoints().
inline config::MatcherConfig small_matcher(config::MatcherOutput output) {
  config::MatcherConfig config;
  config.width = 8;
  config.layers = 1;
  config.output = output;
  config.descriptor_width = 16;
  config.descriptors = config::DescriptorKind::histogram;
  config.response_scale = 1;
  return config;
}

inline infer::Matcher inference_of(const nn::Matcher<float>& model) {
  return {model.config(), train::export_parameters(model.parameters()), "matcher"};
}

/// That network with its first weights.
inline infer::Matcher untrained_matcher(config::MatcherOutput output) {
  return inference_of(nn::Matcher<float>(small_matcher(output), 3));
}

}  // namespace asap::test
