#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

#include "cli/options.h"

namespace asap::cli {

/// What is run, on stderr before it starts. A line appears as soon as it is known, so that the
/// first comes before data are read; nothing with --quiet or --json.
///
///   asap-train 0.1.0
///     threads     2
///     data        fashion-mnist train: 60,000 training, 10,000 test images
class RunHeader {
 public:
  /// Prints the title, with the version of the toolkit, then threads, seed (unless the command
  /// draws nothing) and instruction set.
  RunHeader(const CommonOptions& options, const std::string& title,
            std::optional<std::uint64_t> seed);
  /// For tests: another stream.
  RunHeader(std::ostream& stream, const CommonOptions& options, const std::string& title,
            std::optional<std::uint64_t> seed);

  RunHeader& add(const std::string& name, const std::string& value);
  /// What a training run left: its folder, model, parameters and data, as far as it says so. Only
  /// its small files are read, and nothing is wrong with a folder that lacks them: what loads the
  /// run says that.
  RunHeader& add_run(const std::filesystem::path& run);

 private:
  std::ostream* stream_;  // null: silent
};

}  // namespace asap::cli
