#include "optim/adamw.h"

#include <cmath>

namespace asap::optim {

template <class T>
AdamW<T>::AdamW(const autodiff::ParameterStore<T>& parameters, const AdamWConfig& config)
    : config_(config),
      first_moment_({static_cast<std::int64_t>(parameters.flat().size())}),
      second_moment_({static_cast<std::int64_t>(parameters.flat().size())}),
      pace_(parameters.entries().size()) {}

template <class T>
void AdamW<T>::step(autodiff::ParameterStore<T>& parameters, tensor::VectorView<const T> gradient,
                    double learning_rate, double gradient_scale) {
  ++steps_;
  tensor::AdamWStep<T> step{.learning_rate = T(0),
                            .beta1 = static_cast<T>(config_.beta1),
                            .beta2 = static_cast<T>(config_.beta2),
                            .epsilon = static_cast<T>(config_.epsilon),
                            .weight_decay = T(0),
                            .correction1 = T(1),
                            .correction2 = T(1),
                            .gradient_scale = static_cast<T>(gradient_scale)};
  for (std::size_t index = 0; index < pace_.size(); ++index) {
    const Pace& pace = pace_[index];
    const auto& entry = parameters.entries()[index];
    if (pace.frozen || !entry.trained) continue;
    const double count = static_cast<double>(steps_ - pace.first);
    step.learning_rate = static_cast<T>(learning_rate * pace.rate_factor);
    step.correction1 = static_cast<T>(1 - std::pow(config_.beta1, count));
    step.correction2 = static_cast<T>(1 - std::pow(config_.beta2, count));
    const auto offset = static_cast<std::size_t>(entry.offset);
    const auto size = static_cast<std::size_t>(entry.shape.size());
    step.weight_decay = entry.decay ? static_cast<T>(config_.weight_decay) : T(0);
    tensor::adamw_update<T>(
        step, gradient.subspan(offset, size), parameters.flat().subspan(offset, size),
        first_moment().subspan(offset, size), second_moment().subspan(offset, size));
  }
}

template <class T>
double gradient_norm(const autodiff::ParameterStore<T>& parameters,
                     tensor::VectorView<const T> gradient) {
  double total = 0;
  for (const auto& entry : parameters.entries()) {
    if (!entry.trained) continue;
    const tensor::VectorView<const T> part = gradient.subspan(
        static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.shape.size()));
    total += static_cast<double>(tensor::dot<T>(part, part));
  }
  return std::sqrt(total);
}

template class AdamW<float>;
template class AdamW<double>;
template double gradient_norm<float>(const autodiff::ParameterStore<float>&,
                                     tensor::VectorView<const float>);
template double gradient_norm<double>(const autodiff::ParameterStore<double>&,
                                      tensor::VectorView<const double>);

}  // namespace asap::optim
