#include "evaluate/study/training_curves.h"

#include <fstream>
#include <optional>
#include <string>

#include "io/json.h"

namespace asap::evaluate {
namespace {

std::optional<double> number_of(const io::Json& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

/// Means of groups of neighbours, at most `points` of them.
std::vector<double> averaged(const std::vector<double>& values, std::size_t points) {
  const std::size_t groups = std::min(points, values.size());
  std::vector<double> out;
  for (std::size_t group = 0; group < groups; ++group) {
    const std::size_t first = group * values.size() / groups;
    const std::size_t last = (group + 1) * values.size() / groups;
    double total = 0;
    for (std::size_t i = first; i < last; ++i) total += values[i];
    out.push_back(total / static_cast<double>(last - first));
  }
  return out;
}

}  // namespace

TrainingCurves read_training_curves(const std::filesystem::path& metrics, int points) {
  TrainingCurves curves;
  std::ifstream file(metrics);
  for (std::string text; std::getline(file, text);) {
    const io::Json line = io::Json::parse(text, nullptr, false);
    if (!line.is_object()) continue;
    const auto step = number_of(line, "step");
    if (!step) continue;
    if (const auto loss = number_of(line, "loss"), accuracy = number_of(line, "accuracy");
        loss && accuracy) {
      curves.steps.push_back(*step);
      curves.loss.push_back(*loss);
      curves.accuracy.push_back(*accuracy);
    }
    if (const auto loss = number_of(line, "test_loss"), accuracy = number_of(line, "test_accuracy");
        loss && accuracy) {
      curves.test_steps.push_back(*step);
      curves.test_loss.push_back(*loss);
      curves.test_accuracy.push_back(*accuracy);
    }
  }
  for (std::vector<double>* values : {&curves.steps, &curves.loss, &curves.accuracy})
    *values = averaged(*values, static_cast<std::size_t>(points));
  return curves;
}

}  // namespace asap::evaluate
