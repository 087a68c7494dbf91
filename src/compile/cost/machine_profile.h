#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "compile/cost/cost_model.h"
#include "io/json.h"

namespace asap::compile {

/// A measured time of one form on one thread, in nanoseconds for a head.
struct FormTiming {
  OperatorForm form;
  HeadShape shape;
  double nanoseconds = 0;
};

/// What attention costs on a machine: the coefficients of the cost model. Times that it predicts
/// are the same on every run, which makes choices that rest on them reproducible.
struct MachineProfile {
  static constexpr const char* kFormat = "asap-machine-profile";
  static constexpr int kVersion = 1;

  std::string instruction_set;  ///< Highway's name: "AVX3_SPR"
  double cache_bytes = 0;       ///< of the second-level cache of a core
  CostVector nanoseconds{};     ///< for one unit of each column; not negative

  /// The predicted time of one head.
  double time(const OperatorForm& form, const HeadShape& shape) const;
  /// Whether products in bfloat16 were measured, which takes a processor that has them.
  bool has_bfloat16() const;
};

/// The profile that comes with the toolkit for an instruction set, of one processor that has it;
/// for one without a profile, that of AVX2.
MachineProfile shipped_profile(const std::string& instruction_set);

/// The coefficients that describe these timings best: non-negative, least squares of relative
/// errors.
CostVector fit_costs(std::span<const FormTiming> timings, double cache_bytes);

/// {"format", "version", "instruction_set", "cache_bytes", "nanoseconds": {step: {quantity:
/// value}}}
io::Json profile_json(const MachineProfile& profile);

/// Reads a profile. DataError names file and field when something is missing, negative, not finite
/// or of another version.
MachineProfile load_profile(const std::filesystem::path& file);

}  // namespace asap::compile
