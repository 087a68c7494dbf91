#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "io/json.h"

namespace asap::evaluate {

/// The files of page/ as they were when the program was built.
namespace page_files {
extern const char* const kStyle;   // page.css
extern const char* const kTheme;   // theme.js
extern const char* const kCharts;  // charts.js
extern const char* const kPlans;   // plans.js
}  // namespace page_files

/// JSON on one line that is safe inside <script>, whatever text it holds.
std::string script_json(const io::Json& value);

/// A script element. Nothing in the code can end it early.
std::string script_element(std::string_view code);

/// The plotting library d3 that pages are given, so that their charts answer to the reader.
struct PlotLibrary {
  std::string code;  ///< empty: none was found, and charts stay still
  std::string path;  ///< where it was found
};

/// From `chosen`, else from the environment variable ASAP_D3, else where Debian's package node-d3
/// puts it. "none" leaves it out. UsageError when a file that was named is not there or is not d3.
PlotLibrary find_plot_library(const std::filesystem::path& chosen = {});

}  // namespace asap::evaluate
