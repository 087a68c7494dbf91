#include <algorithm>
#include <array>
#include <cmath>

#include "evaluate/svg_parts.h"

namespace asap {
namespace {

using namespace svg;

constexpr double kLegendStep = 20;

/// Lines of one emphasis are told apart by their dashes.
const char* dashes(std::size_t index) {
  static constexpr std::array<const char*, 4> kPatterns = {"", "7 4", "2 3", "9 3 2 3"};
  return kPatterns[index % kPatterns.size()];
}

std::string draw_line(const ChartLine& line, const Axis& x, const Axis& y, std::size_t pattern) {
  std::string path;
  for (std::size_t i = 0; i < line.values.size(); ++i)
    if (std::isfinite(line.values[i]))
      path += (path.empty() ? "M" : " L") + number(x.at(static_cast<double>(i))) + " " +
              number(y.at(line.values[i]));
  if (path.empty()) return "";
  return "<path d=\"" + path + "\" stroke-dasharray=\"" + dashes(pattern) + "\" class=\"line " +
         class_of(line.emphasis) + "\"/>\n";
}

std::string draw_legend(const ChartLine& line, double height, std::size_t pattern) {
  return "<path d=\"M" + number(kLeft) + " " + number(height) + " L" + number(kLeft + 44) + " " +
         number(height) + "\" stroke-dasharray=\"" + dashes(pattern) + "\" class=\"line " +
         class_of(line.emphasis) + "\"/>\n" +
         text_at(kLeft + 54, height + 5, "start", line.label,
                 line.emphasis == Emphasis::plain ? "" : "strong");
}

}  // namespace

std::string render_svg(const LineChart& chart) {
  double x_high = 1, y_high = 0;
  for (const ChartLine& line : chart.lines)
    for (std::size_t i = 0; i < line.values.size(); ++i) {
      if (!std::isfinite(line.values[i])) continue;
      x_high = std::max(x_high, static_cast<double>(i));
      y_high = std::max(y_high, line.values[i]);
    }
  // Depths and iterations are whole numbers: no ticks between them.
  const int steps = std::min(5, static_cast<int>(x_high));
  const double bottom = kChartHeight - kBottom;
  const Axis x{axis_ticks(0, x_high, steps), kLeft, kWidth - kRight};
  const Axis y{axis_ticks(0, y_high, 5), bottom, kTop};
  std::string content = draw_axes({chart.x_title, chart.y_title}, x, y);
  std::array<std::size_t, 3> drawn{};
  double legend = kChartHeight + 10;
  for (const ChartLine& line : chart.lines) {
    const std::size_t pattern = drawn[static_cast<std::size_t>(line.emphasis)]++;
    content += draw_line(line, x, y, pattern) + draw_legend(line, legend, pattern);
    legend += kLegendStep;
  }
  return document(legend, chart.title, content);
}

}  // namespace asap
