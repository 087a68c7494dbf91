#pragma once

#include <vector>

#include "autodiff/parameter_store.h"
#include "tensor/kernels/elementwise.h"

namespace asap::optim {

/// Settings of AdamW (Loshchilov and Hutter 2019).
struct AdamWConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.05;  ///< decoupled; only parameters that decay (matrices)
  int threads = 1;             ///< share the updates of large networks; change no result
};

/// AdamW over the flat buffer of a parameter store; statistics stay as they are.
template <class T>
class AdamW {
 public:
  AdamW(const autodiff::ParameterStore<T>& parameters, const AdamWConfig& config);

  /// One update. gradient: laid out as parameters.flat(); it is multiplied by gradient_scale first.
  void step(autodiff::ParameterStore<T>& parameters, tensor::VectorView<const T> gradient,
            double learning_rate, double gradient_scale);

  /// When and how fast one parameter is trained.
  struct Pace {
    bool frozen = false;
    std::int64_t first = 0;  ///< steps() when its moments were still zero
    double rate_factor = 1;  ///< of the learning rate
  };
  /// Applies from the next step on.
  void set_pace(autodiff::ParameterId id, const Pace& pace) {
    pace_[static_cast<std::size_t>(id.index)] = pace;
  }

  /// Number of updates so far, and the moments, for checkpoints. The moments are laid out as
  /// flat().
  std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }
  tensor::VectorView<T> first_moment() { return first_moment_.flat(); }
  tensor::VectorView<T> second_moment() { return second_moment_.flat(); }

 private:
  AdamWConfig config_;
  /// A part of one parameter, small enough that threads share the largest evenly.
  struct Piece {
    std::size_t parameter, first, size;
  };

  tensor::Tensor<T> first_moment_, second_moment_;
  std::vector<Piece> pieces_;
  std::vector<Pace> pace_;  // of every parameter
  std::int64_t steps_ = 0;
};

/// Euclidean norm of the gradients of all trained parameters. gradient: laid out as
/// parameters.flat().
template <class T>
double gradient_norm(const autodiff::ParameterStore<T>& parameters,
                     tensor::VectorView<const T> gradient);

/// The factor that shortens a gradient of this norm to `longest`, 0 for any length.
inline double clip_factor(double norm, double longest) {
  return longest > 0 && norm > longest ? longest / norm : 1;
}

}  // namespace asap::optim
