#include <algorithm>
#include <array>
#include <cmath>

#include "evaluate/draw/svg_parts.h"

namespace asap::evaluate {
namespace {

using namespace svg;

constexpr double kLegendStep = 20;
constexpr double kPanel = 172, kPanelGap = 30;  // of a chart of many panels
constexpr std::size_t kLinePanelsInRow = 2, kMostLinePanels = 8, kMostDots = 150;

/// Lines of one family are told apart by their dashes.
const char* dashes(std::size_t index) {
  static constexpr std::array<const char*, 4> kPatterns = {"", "7 4", "2 3", "9 3 2 3"};
  return kPatterns[index % kPatterns.size()];
}

std::string draw_line(const ChartLine& line, const Axis& x, const Axis& y, std::size_t pattern) {
  std::string path;
  for (std::size_t i = 0; i < line.values.size(); ++i)
    if (x.shows(line.x(i)) && y.shows(line.values[i]))
      path += (path.empty() ? "M" : " L") + number(x.at(line.x(i))) + " " +
              number(y.at(line.values[i]));
  if (path.empty()) return "";
  return "<path d=\"" + path + "\" stroke-dasharray=\"" + dashes(pattern) + "\" class=\"line " +
         family_name(line.family) + "\"/>\n";
}

std::string draw_legend(const ChartLine& line, double height, std::size_t pattern) {
  return "<path d=\"M" + number(kLeft) + " " + number(height) + " L" + number(kLeft + 44) + " " +
         number(height) + "\" stroke-dasharray=\"" + dashes(pattern) + "\" class=\"line " +
         family_name(line.family) + "\"/>\n" +
         text_at(kLeft + 54, height + 5, "start", line.label,
                 line.family == Family::compiled ? "strong" : "");
}

/// The least and the largest of what a line chart shows.
struct Bounds {
  double low = INFINITY, high = -INFINITY;

  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

/// About `count` ticks; from 0 on where the axis is linear.
Axis line_axis(const Bounds& bounds, bool logarithmic, int count, double from, double to) {
  if (logarithmic && !bounds.empty())
    return {logarithmic_ticks(bounds.low, std::max(bounds.high, bounds.low * 1.01)), from, to,
            true};
  const double low = bounds.empty() ? 0 : std::min(bounds.low, 0.0);
  return {axis_ticks(low, bounds.empty() ? 1 : bounds.high, count), from, to};
}

std::string draw_panel(const CloudPanel& panel, double left, double top) {
  Bounds bounds;
  for (const std::vector<double>* values : {&panel.x, &panel.y})
    for (const double value : *values)
      if (std::isfinite(value)) bounds.include(value);
  std::string svg = text_at(left, top - 8, "start", panel.title, "strong") +
                    text_at(left + 8, top + 20, "start", panel.note);
  svg += "<rect x=\"" + number(left) + "\" y=\"" + number(top) + "\" width=\"" + number(kPanel) +
         "\" height=\"" + number(kPanel) + "\" fill=\"none\" class=\"grid\"/>\n" +
         line_between(left, top + kPanel, left + kPanel, top, "link");
  if (bounds.empty()) return svg;
  const double margin = 8, span = std::max(bounds.high - bounds.low, 1e-12);
  const auto place = [&](double value) {
    return margin + (kPanel - 2 * margin) * (value - bounds.low) / span;
  };
  std::string path;
  const std::size_t step = std::max<std::size_t>(1, panel.x.size() / kMostDots);
  for (std::size_t i = 0; i < panel.x.size(); i += step)
    if (std::isfinite(panel.x[i]) && std::isfinite(panel.y[i]))
      path += "M" + number(left + place(panel.x[i])) + " " +
              number(top + kPanel - place(panel.y[i])) + "h0";
  return svg + "<path d=\"" + path + "\" class=\"dots compiled\"/>\n";
}

}  // namespace

std::string render_svg(const LineChart& chart) {
  Bounds in_x, in_y;
  for (const ChartLine& line : chart.lines)
    for (std::size_t i = 0; i < line.values.size(); ++i) {
      const double x = line.x(i), y = line.values[i];
      if (!std::isfinite(y) || (chart.log_y && y <= 0) || (chart.log_x && x <= 0)) continue;
      in_x.include(x);
      in_y.include(y);
    }
  // Depths and iterations are whole numbers: no ticks between them.
  const int steps = std::clamp(in_x.empty() ? 1 : static_cast<int>(in_x.high), 1, 5);
  const double bottom = kChartHeight - kBottom;
  const Axis x = line_axis(in_x, chart.log_x, steps, kLeft, kWidth - kRight);
  const Axis y = line_axis(in_y, chart.log_y, 5, bottom, kTop);
  std::string content = draw_axes({chart.x_title, chart.y_title}, x, y);
  std::array<std::size_t, 6> drawn{};
  double legend = kChartHeight + 10;
  std::string on_top;  // the teacher's lines: what all others are compared with
  for (const ChartLine& line : chart.lines) {
    const std::size_t pattern = drawn[static_cast<std::size_t>(line.family)]++;
    (line.family == Family::teacher ? on_top : content) += draw_line(line, x, y, pattern);
    content += draw_legend(line, legend, pattern);
    legend += kLegendStep;
  }
  content += on_top;
  return document(legend, chart.title, content);
}

std::string render_svg(const CloudChart& chart) {
  const std::size_t shown = std::min(chart.panels.size(), kMostLinePanels);
  std::string content;
  double bottom = 0;
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t row = i / kLinePanelsInRow;
    const double left = kLeft + static_cast<double>(i % kLinePanelsInRow) * (kPanel + kPanelGap);
    const double top = 40 + static_cast<double>(row) * (kPanel + kPanelGap + 20);
    content += draw_panel(chart.panels[i], left, top);
    bottom = top + kPanel;
  }
  content +=
      text_at(kLeft + kPanel + kPanelGap / 2, bottom + 26, "middle", chart.x_title, "strong");
  content += "<text transform=\"translate(40 " + number(bottom / 2 + 20) +
             ") rotate(-90)\" text-anchor=\"middle\" class=\"strong\">" +
             base::escape_markup(chart.y_title) + "</text>\n";
  return document(bottom + 44, chart.title, content);
}

}  // namespace asap::evaluate
