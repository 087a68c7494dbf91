#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "config/config_fields.h"

namespace asap {

/// asap-eval bench: what each form of attention costs, by turns on the same heads.
class BenchCommand {
 public:
  /// Registers the command. This object must outlive parsing.
  CLI::App* add_to(CLI::App& app);
  void run() const;
  /// Keys of its configuration.
  static std::vector<config::FieldDescription> keys();

 private:
  cli::CommonOptions common_;
  std::vector<int> sizes_;
  std::vector<std::string> forms_;
  std::optional<int> head_width_, iterations_, slices_, heads_, rounds_;
  std::optional<double> logit_range_;
  bool scaling_ = false, figures_ = false;
};

}  // namespace asap
