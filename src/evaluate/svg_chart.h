#pragma once

#include <string>
#include <vector>

namespace asap {

/// How much a mark in a chart should stand out.
enum class Emphasis {
  plain,      ///< grey
  reference,  ///< what others are measured against
  subject,    ///< what the chart is about
};

struct ChartPoint {
  std::string label;
  double x, y;
  Emphasis emphasis = Emphasis::plain;
};

struct ScatterChart {
  std::string title;
  std::string x_title, y_title;
  std::vector<ChartPoint> points;
};

struct ChartBar {
  std::string label;
  double value;
  Emphasis emphasis = Emphasis::plain;
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
  std::vector<double> values;  ///< at x = 0, 1, 2, ...
  Emphasis emphasis = Emphasis::plain;
};

struct LineChart {
  std::string title;
  std::string x_title, y_title;
  std::vector<ChartLine> lines;
};

/// Complete SVG documents that follow the reader's light or dark setting and may also be pasted
/// into HTML. The x axis of a scatter chart begins at 0, its y axis near the lowest point; the y
/// axis of a line chart begins at 0. What is not finite is left out.
std::string render_svg(const ScatterChart& chart);
std::string render_svg(const BarChart& chart);
std::string render_svg(const LineChart& chart);

/// Text with the characters that mean something to XML and HTML replaced.
std::string escape_markup(const std::string& text);

/// About `count` round numbers that cover [low, high], both ends included.
std::vector<double> axis_ticks(double low, double high, int count);

}  // namespace asap
