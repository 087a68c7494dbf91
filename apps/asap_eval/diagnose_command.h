#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "config/config_fields.h"

namespace asap {

/// asap-eval diagnose: what attention does inside a trained network, its own and other methods in
/// its place.
class DiagnoseCommand {
 public:
  /// Registers the command. This object must outlive parsing.
  CLI::App* add_to(CLI::App& app);
  void run() const;
  /// Keys of its configuration.
  static std::vector<config::FieldDescription> keys();

 private:
  cli::CommonOptions common_;
  std::filesystem::path run_, compiled_;
  std::vector<std::string> methods_;
  std::optional<int> examples_, iterations_;
  bool figures_ = false;
};

}  // namespace asap
