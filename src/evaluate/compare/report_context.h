#pragma once

#include <string>
#include <utility>
#include <vector>

namespace asap::evaluate {

/// What a reader needs to know about where the numbers of a comparison come from.
struct ReportContext {
  std::string data;  ///< "fashion-mnist test"
  std::string
      model;  ///< "ViT, patch 4, width 64, 2 heads, 3 layers; Sinkhorn, T = 10, epsilon = 1"
  std::vector<std::string> commands;                          ///< how to make it again
  std::vector<std::pair<std::string, std::string>> versions;  ///< "toolkit" -> "0.1.0", ...
};

}  // namespace asap::evaluate
