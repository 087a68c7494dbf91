#pragma once

#include <filesystem>

#include "cli/options.h"

namespace asap {

/// asap-eval export: a trained perceptron as an ONNX file for other programs.
class ExportCommand {
 public:
  /// Registers the command. This object must outlive parsing.
  CLI::App* add_to(CLI::App& app);
  void run() const;

 private:
  cli::CommonOptions common_;
  std::filesystem::path run_;
};

}  // namespace asap
