#pragma once

#include <string>
#include <vector>

#include "base/text.h"
#include "evaluate/compare/method_family.h"

namespace asap::evaluate {

struct ChartPoint {
  std::string label;
  double x, y;
  Family family = Family::other;
};

struct ScatterChart {
  std::string title;
  std::string x_title, y_title;
  std::vector<ChartPoint> points;
  bool lower_is_better = false;  ///< of y
};

struct ChartBar {
  std::string label;
  double value;
  Family family = Family::other;
};

struct BarChart {
  std::string title;
  std::string value_title;
  int decimals = 3;  ///< of the numbers at the bars
  std::vector<ChartBar> bars;
};

/// One line of a line chart.
struct ChartLine {
  std::string label;
  std::vector<double> values;
  Family family = Family::other;
  std::vector<double> at = {};  ///< x of each value; empty: 0, 1, 2, ...

  double x(std::size_t index) const { return at.empty() ? static_cast<double>(index) : at[index]; }
};

struct LineChart {
  std::string title;
  std::string x_title, y_title;
  std::vector<ChartLine> lines;
  bool log_x = false, log_y = false;  ///< values that are not positive are left out
};

/// Points of one panel among several with axes of their own, with the line y = x.
struct CloudPanel {
  std::string title, note;
  std::vector<double> x, y;
};

struct CloudChart {
  std::string title;
  std::string x_title, y_title;
  std::vector<CloudPanel> panels;
};

/// Complete SVG documents that follow the reader's light or dark setting and may also be pasted
/// into HTML. The x axis of a scatter chart begins at 0, its y axis near the lowest point; the y
/// axis of a line chart begins at 0 unless it is logarithmic, and the teacher's lines lie on top.
/// What is not finite is left out.
std::string render_svg(const ScatterChart& chart);
std::string render_svg(const BarChart& chart);
std::string render_svg(const LineChart& chart);
std::string render_svg(const CloudChart& chart);

/// About `count` round numbers that cover [low, high], both ends included.
std::vector<double> axis_ticks(double low, double high, int count);

/// Powers of ten, or of 2 and 5 times them where those are few, from the last not above `low` to
/// the first not below `high`; both above 0.
std::vector<double> logarithmic_ticks(double low, double high);

/// For each point whether no other beats it: none has an x as small and a y as good, one of them
/// strictly smaller or better. Points that are not finite are beaten.
std::vector<bool> pareto_front(const std::vector<ChartPoint>& points, bool lower_is_better = false);

/// The points that no other beats, from left to right.
std::vector<ChartPoint> front_points(const ScatterChart& chart);

}  // namespace asap::evaluate
