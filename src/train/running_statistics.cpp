#include "train/running_statistics.h"

#include "nn/convolutions.h"

namespace asap::train {

void move_statistics(autodiff::ParameterStore<float>& parameters,
                     tensor::VectorView<const float> gradient) {
  for (const auto& entry : parameters.entries()) {
    if (entry.trained) continue;
    const auto first = static_cast<std::size_t>(entry.offset);
    for (std::size_t i = first; i < first + static_cast<std::size_t>(entry.shape.size()); ++i)
      parameters.flat()[i] -= static_cast<float>(nn::kStatisticsRate) * gradient[i];
  }
}

}  // namespace asap::train
