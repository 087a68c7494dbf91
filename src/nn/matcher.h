#pragma once

#include <memory>
#include <vector>

#include "autodiff/transport_ops.h"
#include "config/matcher_config.h"
#include "nn/layers.h"

namespace asap::nn {

/// What a matcher reads of one image; views must outlive the pass. N > 0.
template <class T>
struct MatcherInput {
  tensor::TensorView<const T> keypoints;    ///< [N, 11], see data/keypoints/keypoint_sample.h
  tensor::TensorView<const T> descriptors;  ///< [N, descriptor_width], of length one
};

/// A network that matches two sets of keypoints, a small SuperGlue (Sarlin et al. 2020):
/// descriptors are projected, what a keypoint's position says is added, and layers of attention
/// inside each image ("self") and from each image to the other ("cross") update both sets with the
/// same weights. Scores are inner products of the last layer's outputs; config.output makes an
/// assignment of them.
///
/// The network starts as plain matching of descriptors: the last layer is the identity and all
/// updates start at zero, so that training only has to improve on it (see start_projection in
/// train/descriptor_projection.h).
///
/// Parameters: "descriptor", "position.up", "position.down", "self.<i>" and "cross.<i>" (Update),
/// "final", then "bin" [1] or "matchability".
template <class T>
class Matcher {
 public:
  /// A complete config: descriptor_width > 0. `seed` decides the initial parameters.
  Matcher(const config::MatcherConfig& config, std::uint64_t seed);
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  /// Logarithm of the assignment with dustbins: [N + 1, M + 1].
  autodiff::Var<T> forward(PassContext<T>& pass, const MatcherInput<T>& first,
                           const MatcherInput<T>& second,
                           autodiff::TransportEvidence& evidence) const;

  autodiff::ParameterStore<T>& parameters() { return parameters_; }
  const autodiff::ParameterStore<T>& parameters() const { return parameters_; }
  const config::MatcherConfig& config() const { return config_; }
  /// The score of the dustbin; not valid with dual softmax.
  autodiff::ParameterId bin() const { return bin_; }

 private:
  /// x + down(gelu(up(norm([x, attention(norm(x), norm(y))])))).
  struct Update {
    Update(const ParameterBuilder<T>& build, std::int64_t width);
    autodiff::Var<T> forward(PassContext<T>& pass, autodiff::Var<T> x, autodiff::Var<T> y,
                             std::int64_t heads,
                             const attention::TrainableAttention<T>& kind) const;

    LayerNorm<T> attention_norm;
    Linear<T> query, key_value, output;
    LayerNorm<T> update_norm;
    Linear<T> up, down;
  };

  autodiff::Var<T> embed(PassContext<T>& pass, const MatcherInput<T>& input) const;
  /// The last layer, divided by the fourth root of the width: both factors of a score.
  autodiff::Var<T> finish(PassContext<T>& pass, autodiff::Var<T> x) const;
  void start_as_descriptor_matching();

  config::MatcherConfig config_;
  autodiff::ParameterStore<T> parameters_;
  std::unique_ptr<attention::TrainableAttention<T>> kind_;
  std::unique_ptr<Linear<T>> descriptor_, position_up_, position_down_, final_, matchability_;
  std::vector<Update> self_, cross_;
  autodiff::ParameterId bin_;
};

}  // namespace asap::nn
