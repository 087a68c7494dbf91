#include "evaluate/matching/plan_picture.h"

#include <algorithm>

#include "base/format.h"

namespace asap::evaluate {
namespace {

constexpr double kStrip = 0.04, kStripGap = 0.02;  // of the longer side
constexpr float kLeastDrawn = 0.05F;
constexpr const char* kEntry = "#0072b2";
constexpr const char* kDustbin = "#d55e00";

std::string coordinate(double value) { return base::format_fixed(value, 1); }

struct Rectangle {
  double x, y, width, height;
};

std::string filled(const Rectangle& at, const char* colour, float opacity) {
  return "<rect x=\"" + coordinate(at.x) + "\" y=\"" + coordinate(at.y) + "\" width=\"" +
         coordinate(at.width) + "\" height=\"" + coordinate(at.height) + "\" fill=\"" + colour +
         "\" fill-opacity=\"" +
         base::format_fixed(static_cast<double>(std::min(opacity, 1.0F)), 2) + "\"/>\n";
}

}  // namespace

std::string plan_picture(tensor::MatrixView<const float> plan) {
  const std::int64_t n = plan.rows - 1, m = plan.cols - 1;
  const auto height = static_cast<double>(n), width = static_cast<double>(m);
  const double longer = std::max({height, width, 1.0});
  const double strip = kStrip * longer, gap = kStripGap * longer;
  // Entries are a little larger than a cell, so that they are seen where there are many.
  const double dot = std::max(1.0, longer / 150);
  std::string text =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"asap-chart\" viewBox=\"0 0 " +
      coordinate(width + gap + strip) + " " + coordinate(height + gap + strip) +
      "\">\n<rect x=\"0\" y=\"0\" width=\"" + coordinate(width) + "\" height=\"" +
      coordinate(height) + "\" fill=\"#ffffff\" stroke=\"#bbbbbb\" stroke-width=\"" +
      coordinate(longer / 400) + "\"/>\n";
  for (std::int64_t i = 0; i <= n; ++i)
    for (std::int64_t j = 0; j <= m; ++j) {
      const float entry = plan(i, j);
      if (!(entry >= kLeastDrawn) || (i == n && j == m)) continue;
      const auto x = static_cast<double>(j), y = static_cast<double>(i);
      if (i < n && j < m)
        text += filled({x, y, dot, dot}, kEntry, entry);
      else if (j == m)
        text += filled({width + gap, y, strip, 1}, kDustbin, entry);
      else
        text += filled({x, height + gap, 1, strip}, kDustbin, entry);
    }
  return text + "</svg>\n";
}

}  // namespace asap::evaluate
