#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace asap::region {

/// The content of a picture of a fit of one input.
struct FitPlot {
  std::string title;
  std::vector<double> x, target, fit;  ///< [n]
  std::vector<double> boundaries;      ///< ends of the linear regions
  std::vector<double> data_x, data_y;  ///< training points, drawn if they are few
};

/// Draws target and fit, and below them the region boundaries and the error on a logarithmic scale,
/// with gnuplot, as SVG and PNG. Returns false and writes nothing if gnuplot is missing or fails.
bool draw_fit(const FitPlot& plot, const std::filesystem::path& svg,
              const std::filesystem::path& png);

}  // namespace asap::region
