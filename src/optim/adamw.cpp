#include "optim/adamw.h"

#include <cmath>

namespace asap {

template <class T>
AdamW<T>::AdamW(const ParameterStore<T>& parameters, const AdamWConfig& config)
    : config_(config),
      first_moment_({static_cast<std::int64_t>(parameters.flat().size())}),
      second_moment_({static_cast<std::int64_t>(parameters.flat().size())}) {}

template <class T>
void AdamW<T>::step(ParameterStore<T>& parameters, VectorView<const T> gradient,
                    double learning_rate, double gradient_scale) {
  ++steps_;
  const double count = static_cast<double>(steps_);
  AdamWStep<T> step{.learning_rate = static_cast<T>(learning_rate),
                    .beta1 = static_cast<T>(config_.beta1),
                    .beta2 = static_cast<T>(config_.beta2),
                    .epsilon = static_cast<T>(config_.epsilon),
                    .weight_decay = T(0),
                    .correction1 = static_cast<T>(1 - std::pow(config_.beta1, count)),
                    .correction2 = static_cast<T>(1 - std::pow(config_.beta2, count)),
                    .gradient_scale = static_cast<T>(gradient_scale)};
  for (const auto& entry : parameters.entries()) {
    const auto offset = static_cast<std::size_t>(entry.offset);
    const auto size = static_cast<std::size_t>(entry.shape.size());
    step.weight_decay = entry.decay ? static_cast<T>(config_.weight_decay) : T(0);
    adamw_update<T>(step, gradient.subspan(offset, size), parameters.flat().subspan(offset, size),
                    first_moment().subspan(offset, size), second_moment().subspan(offset, size));
  }
}

template <class T>
double gradient_norm(const ParameterStore<T>& parameters, VectorView<const T> gradient) {
  double total = 0;
  for (const auto& entry : parameters.entries()) {
    const VectorView<const T> part = gradient.subspan(static_cast<std::size_t>(entry.offset),
                                                      static_cast<std::size_t>(entry.shape.size()));
    total += static_cast<double>(dot<T>(part, part));
  }
  return std::sqrt(total);
}

template class AdamW<float>;
template class AdamW<double>;
template double gradient_norm<float>(const ParameterStore<float>&, VectorView<const float>);
template double gradient_norm<double>(const ParameterStore<double>&, VectorView<const double>);

}  // namespace asap
