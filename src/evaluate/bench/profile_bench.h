#pragma once

#include <functional>
#include <vector>

#include "compile/cost/machine_profile.h"

namespace asap::evaluate {

/// A machine profile with the timings it was fitted to.
struct MeasuredProfile {
  compile::MachineProfile profile;
  std::vector<compile::FormTiming> timings;

  /// Median and largest relative error of the model on its own timings.
  double median_error() const, largest_error() const;
};

/// The heads and the forms that are timed: sizes from 16 to `most_tokens`, three widths.
struct ProfileSettings {
  int most_tokens = 1536;
  int rounds = 5;
  double turn_seconds = 0.004;  ///< processor time of one form in one round
  std::uint64_t seed = 1;
};

/// Times every form that asap-compile may choose on drawn heads, on one thread, in interleaved
/// rounds of which the fastest counts, and fits the coefficients of the cost model. `progress` is
/// called with the number of sizes done and of all.
MeasuredProfile measure_profile(
    const ProfileSettings& settings,
    const std::function<void(std::int64_t, std::int64_t)>& progress = {});

/// The table of the model against what was measured, and how far they are apart.
std::string profile_text(const MeasuredProfile& measured);

/// Settings, timings and errors, for summary.json.
io::Json profile_summary(const ProfileSettings& settings, const MeasuredProfile& measured);

}  // namespace asap::evaluate
