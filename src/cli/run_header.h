#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

#include "cli/options.h"

namespace asap::cli {

/// The header that a command prints on stderr before it works. Each line appears as soon as its
/// value is known, the first ones before data are read. Prints nothing with --quiet or --json.
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
  /// The folder, model and number of parameters of a training run, as far as its small files tell.
  /// Missing files are no error here; the code that loads the run reports them.
  RunHeader& add_run(const std::filesystem::path& run);

 private:
  std::ostream* stream_;  // null: silent
};

}  // namespace asap::cli
