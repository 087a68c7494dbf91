#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/options.h"

namespace asap::asap_compile {

/// Options of asap-compile for a run that trained a matcher.
struct MatcherCompileOptions {
  std::filesystem::path run;
  std::string pairs;               ///< file of pairs; empty: data.train of the run
  std::optional<int> calibration;  ///< pairs to fit on
  std::optional<int> iterations;   ///< T of the teacher; default: the network's
};

/// Fits the transport of the matcher and writes operator.safetensors, operator.json, summary.json.
void compile_matcher_run(const cli::CommonOptions& common, const MatcherCompileOptions& options);

}  // namespace asap::asap_compile
