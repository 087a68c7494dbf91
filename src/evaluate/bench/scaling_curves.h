#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace asap::evaluate {

/// Time of one form of attention by number of tokens.
struct ScalingCurve {
  std::string form;
  std::vector<double> tokens, milliseconds;  ///< per head
};

/// What asap-eval bench measured.
struct ScalingCurves {
  std::string command;
  int head_width = 0, threads = 0;
  std::vector<ScalingCurve> curves;

  bool empty() const { return curves.empty(); }
};

/// From the folder that asap-eval bench wrote. DataError when its summary.json is missing or was
/// not written by asap-eval bench.
ScalingCurves read_scaling_curves(const std::filesystem::path& folder);

}  // namespace asap::evaluate
