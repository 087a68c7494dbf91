#include "optim/adamw.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"

namespace asap::optim {
namespace {

constexpr std::size_t kPiece = 1 << 17;       // values
constexpr std::size_t kShared = 16 * kPiece;  // fewer values are not worth waking other threads

}  // namespace

template <class T>
AdamW<T>::AdamW(const autodiff::ParameterStore<T>& parameters, const AdamWConfig& config)
    : config_(config),
      first_moment_({static_cast<std::int64_t>(parameters.flat().size())}),
      second_moment_({static_cast<std::int64_t>(parameters.flat().size())}),
      pace_(parameters.entries().size()) {
  for (std::size_t index = 0; index < pace_.size(); ++index) {
    const auto size = static_cast<std::size_t>(parameters.entries()[index].shape.size());
    for (std::size_t first = 0; first < size; first += kPiece)
      pieces_.push_back({index, first, std::min(kPiece, size - first)});
  }
}

template <class T>
void AdamW<T>::step(autodiff::ParameterStore<T>& parameters, tensor::VectorView<const T> gradient,
                    double learning_rate, double gradient_scale) {
  ++steps_;
  std::vector<tensor::AdamWStep<T>> steps;  // of every parameter
  for (std::size_t index = 0; index < pace_.size(); ++index) {
    const Pace& pace = pace_[index];
    const double count = static_cast<double>(steps_ - pace.first);
    const bool decays = parameters.entries()[index].decay;
    steps.push_back({.learning_rate = static_cast<T>(learning_rate * pace.rate_factor),
                     .beta1 = static_cast<T>(config_.beta1),
                     .beta2 = static_cast<T>(config_.beta2),
                     .epsilon = static_cast<T>(config_.epsilon),
                     .weight_decay = decays ? static_cast<T>(config_.weight_decay) : T(0),
                     .correction1 = static_cast<T>(1 - std::pow(config_.beta1, count)),
                     .correction2 = static_cast<T>(1 - std::pow(config_.beta2, count)),
                     .gradient_scale = static_cast<T>(gradient_scale)});
  }
  const int threads = gradient.size() < kShared ? 1 : config_.threads;
  base::parallel_for(std::ssize(pieces_), threads, [&](std::int64_t number, int) {
    const Piece& piece = pieces_[static_cast<std::size_t>(number)];
    const auto& entry = parameters.entries()[piece.parameter];
    if (pace_[piece.parameter].frozen || !entry.trained) return;
    const auto offset = static_cast<std::size_t>(entry.offset) + piece.first;
    tensor::adamw_update<T>(steps[piece.parameter], gradient.subspan(offset, piece.size),
                            parameters.flat().subspan(offset, piece.size),
                            first_moment().subspan(offset, piece.size),
                            second_moment().subspan(offset, piece.size));
  });
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
