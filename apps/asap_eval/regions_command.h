#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "cli/options.h"
#include "config/config_fields.h"

namespace asap {

/// asap-eval regions: how many linear regions a trained network has along straight ways.
class RegionsCommand {
 public:
  /// Registers the command. This object must outlive parsing.
  CLI::App* add_to(CLI::App& app);
  void run() const;
  /// Keys of its configuration.
  static std::vector<config::FieldDescription> keys();

 private:
  cli::CommonOptions common_;
  std::filesystem::path run_;
  std::optional<int> segments_, examples_;
};

}  // namespace asap
