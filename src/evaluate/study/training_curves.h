#pragma once

#include <filesystem>
#include <vector>

namespace asap::evaluate {

/// The log of a training, shortened: values of neighbouring steps are averaged.
struct TrainingCurves {
  std::vector<double> steps, loss, accuracy;  ///< of batches
  std::vector<double> test_steps, test_loss, test_accuracy;

  bool empty() const { return steps.empty() && test_steps.empty(); }
};

/// From a run's metrics.jsonl. Damaged and unrelated lines are skipped, and a missing file gives no
/// curves, so a report does not fail for lack of them.
TrainingCurves read_training_curves(const std::filesystem::path& metrics, int points = 160);

}  // namespace asap::evaluate
