#pragma once

#include <string>
#include <utility>
#include <vector>

namespace asap::evaluate {

/// Where the numbers of a report come from.
struct ReportContext {
  std::string data;  ///< "fashion-mnist test", or the files' path
  std::string
      model;  ///< "ViT, patch 4, width 64, 2 heads, 3 layers; Sinkhorn, T = 10, epsilon = 1"
  std::vector<std::string> commands;                          ///< that reproduce it
  std::vector<std::pair<std::string, std::string>> versions;  ///< "toolkit" -> "0.1.0", ...
  std::string title = {};                                     ///< see data_title
};

/// Of the toolkit, its commit and build, and the processor.
std::vector<std::pair<std::string, std::string>> program_versions();

}  // namespace asap::evaluate
