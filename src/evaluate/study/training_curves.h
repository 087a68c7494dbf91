#pragma once

#include <filesystem>
#include <vector>

namespace asap::evaluate {

/// What a training logged, made short: values of neighbouring steps are averaged.
struct TrainingCurves {
  std::vector<double> steps, loss, accuracy;  ///< of batches
  std::vector<double> test_steps, test_loss, test_accuracy;

  bool empty() const { return steps.empty() && test_steps.empty(); }
};

/// From a run's metrics.jsonl. Lines that are damaged or say nothing of this are passed over, and a
/// file that is not there gives no curves: a report does not fail for them.
TrainingCurves read_training_curves(const std::filesystem::path& metrics, int points = 160);

}  // namespace asap::evaluate
