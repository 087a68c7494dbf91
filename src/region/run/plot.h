#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace asap::region {

/// What a picture of a fit shows, over one axis of x.
struct FitPlot {
  std::string title;
  std::vector<double> x, target, fit;  ///< [n]
  std::vector<double> boundaries;      ///< ends of the linear regions
  std::vector<double> data_x, data_y;  ///< training points, drawn when they are few
};

/// Draws target and fit above, the size of the error on a logarithmic scale and the region
/// boundaries below, through gnuplot, as SVG and PNG. Returns false, having written nothing, when
/// there is no gnuplot or it fails.
bool draw_fit(const FitPlot& plot, const std::filesystem::path& svg,
              const std::filesystem::path& png);

}  // namespace asap::region
