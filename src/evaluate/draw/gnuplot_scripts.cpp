#include "evaluate/draw/gnuplot_scripts.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "base/picture.h"
#include "base/text.h"

namespace asap::evaluate {
namespace {

constexpr int kPanelsInRow = 4, kMostPanels = 16;

/// Style of every chart: thin axes, light grid.
std::string frame(const std::string& x, const std::string& y) {
  return "set border 3 lw 0.6 lc rgb '#444444'\nset tics nomirror scale 0.5 font ',8'\n"
         "set grid lw 0.5 lc rgb '#dddddd'\n"
         "set key above center maxcols 3 samplen 1.6 spacing 1.1 Left reverse font ',9'\n"
         "set xlabel " +
         base::gnuplot_quoted(x) + "\nset ylabel " + base::gnuplot_quoted(y) + "\n";
}

/// Few round ticks of an axis ("x" or "y") over the finite values, and a range that ends with them.
std::string few_ticks(const std::string& axis, const std::vector<double>& values, int count) {
  double low = INFINITY, high = -INFINITY;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) return "";
  const std::vector<double> ticks = axis_ticks(low, high, count);
  return "set " + axis + "tics " + base::format_number(ticks.front()) + ", " +
         base::format_significant(ticks[1] - ticks[0]) + "\nset " + axis + "range [" +
         base::format_number(ticks.front()) + ":" + base::format_number(ticks.back()) + "]\n";
}

std::string block(const std::string& name, const std::vector<double>& x,
                  const std::vector<double>& y) {
  std::string text = "$" + name + " << END_OF_DATA\n";
  for (std::size_t i = 0; i < x.size(); ++i)
    if (std::isfinite(x[i]) && std::isfinite(y[i]))
      text += base::format_number(x[i]) + " " + base::format_number(y[i]) + "\n";
  return text + "END_OF_DATA\n";
}

std::string colour(Family family) { return std::string(" lc rgb '") + family_colour(family) + "'"; }

/// A point type of gnuplot for each family: diamond, square, triangle, cross, circle, star.
int point_type(Family family) {
  static constexpr std::array<int, 6> kTypes = {13, 5, 9, 2, 7, 3};
  return kTypes[static_cast<std::size_t>(family)];
}

/// The line through the points that no other beats, as a staircase.
std::string front_block(const ScatterChart& chart) {
  const std::vector<ChartPoint> best = front_points(chart);
  std::vector<double> x, y;
  for (std::size_t i = 0; i < best.size(); ++i) {
    if (i > 0) {
      x.push_back(best[i].x);
      y.push_back(best[i - 1].y);
    }
    x.push_back(best[i].x);
    y.push_back(best[i].y);
  }
  return block("front", x, y);
}

std::vector<double> places(const ChartLine& line) {
  std::vector<double> x;
  for (std::size_t i = 0; i < line.values.size(); ++i) x.push_back(line.x(i));
  return x;
}

/// The rows of a plan, the first on top.
std::string matrix_block(const std::string& name, const tensor::Tensor<float>& values) {
  std::string text = "$" + name + " << END_OF_DATA\n";
  for (std::int64_t i = 0; i < values.rows().rows; ++i) {
    for (const float value : values.rows().row(i)) text += base::format_number(double{value}) + " ";
    text += "\n";
  }
  return text + "END_OF_DATA\n";
}

/// What the ends of the colours stand for: the largest entry of the plans; of the differences a
/// larger one than all but one in two hundred, so that single entries do not hide the others.
double colour_end(const PlanFigure& figure, bool difference) {
  std::vector<double> sizes;
  for (const PlanFigure::Panel& panel : figure.panels)
    if (panel.difference == difference)
      for (const float value : panel.values.flat()) sizes.push_back(std::abs(double{value}));
  if (sizes.empty()) return 1;
  std::ranges::sort(sizes);
  const double end = difference ? sizes[(sizes.size() - 1) * 199 / 200] : sizes.back();
  return end > 0 ? end : 1;
}

}  // namespace

int gnuplot_rows(std::int64_t panels) {
  const std::int64_t shown = std::min<std::int64_t>(panels, kMostPanels);
  return static_cast<int>(std::max<std::int64_t>((shown + kPanelsInRow - 1) / kPanelsInRow, 1));
}

std::string gnuplot_script(const ScatterChart& chart) {
  if (chart.points.empty()) return "";
  std::string script = frame(chart.x_title, chart.y_title) + front_block(chart), plots;
  std::vector<double> x = {0}, y;
  for (std::size_t i = 0; i < chart.points.size(); ++i) {
    const ChartPoint& point = chart.points[i];
    x.push_back(point.x);
    y.push_back(point.y);
    script += block("p" + std::to_string(i), {point.x}, {point.y});
    plots += ", $p" + std::to_string(i) + " with points pt " +
             std::to_string(point_type(point.family)) + " ps 0.8" + colour(point.family) +
             " title " + base::gnuplot_quoted(point.label);
  }
  return script + few_ticks("x", x, 4) + few_ticks("y", y, 5) +
         "plot $front with lines dt 2 lw 0.8 lc rgb '#999999' notitle" + plots + "\n";
}

std::string gnuplot_script(const BarChart& chart) {
  if (chart.bars.empty()) return "";
  std::string script = frame("", chart.value_title) + "$bars << END_OF_DATA\n";
  for (std::size_t i = 0; i < chart.bars.size(); ++i)
    script += std::to_string(i) + " " + base::format_number(chart.bars[i].value) + " \"" +
              chart.bars[i].label + "\" " +
              std::to_string(std::stoi(std::string(family_colour(chart.bars[i].family)).substr(1),
                                       nullptr, 16)) +
              "\n";
  return script +
         "END_OF_DATA\nunset key\nset style fill solid\nset boxwidth 0.7\nset yrange [0:*]\n"
         "set xtics rotate by 35 right\nunset xlabel\n"
         "plot $bars using 1:2:4:xtic(3) with boxes lc rgb variable\n";
}

std::string gnuplot_script(const LineChart& chart) {
  std::string script = frame(chart.x_title, chart.y_title), plots, on_top;
  if (chart.log_x) script += "set logscale x 2\n";
  if (chart.log_y) script += "set logscale y\nset format y '%.0e'\n";
  std::array<int, 6> drawn{};
  std::vector<double> x;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const ChartLine& line = chart.lines[i];
    if (line.values.empty()) continue;
    std::ranges::copy(places(line), std::back_inserter(x));
    const int pattern = drawn[static_cast<std::size_t>(line.family)]++ % 5 + 1;
    script += block("l" + std::to_string(i), places(line), line.values);
    // The last lies on top: the teacher, with which all others are compared.
    (line.family == Family::teacher ? on_top : plots) +=
        ", $l" + std::to_string(i) + " with lines lw 1.6 dt " + std::to_string(pattern) +
        colour(line.family) + " title " + base::gnuplot_quoted(line.label);
  }
  if (!chart.log_x) script += few_ticks("x", x, 4);
  plots += on_top;
  return plots.empty() ? "" : script + "plot" + plots.substr(1) + "\n";
}

std::string gnuplot_script(const CloudChart& chart) {
  if (chart.panels.empty()) return "";
  const auto shown = std::min<std::size_t>(chart.panels.size(), kMostPanels);
  std::string script = frame(chart.x_title, chart.y_title) +
                       "unset key\nset size square\nset xlabel font ',8'\nset ylabel font "
                       "',8'\nset multiplot layout " +
                       std::to_string(gnuplot_rows(std::ssize(chart.panels))) + "," +
                       std::to_string(std::min<std::size_t>(shown, kPanelsInRow)) + "\n";
  std::string data;
  for (std::size_t i = 0; i < shown; ++i) {
    const CloudPanel& panel = chart.panels[i];
    const std::string name = "c" + std::to_string(i);
    data += block(name, panel.x, panel.y);
    std::vector<double> all = panel.x;
    all.insert(all.end(), panel.y.begin(), panel.y.end());
    script += few_ticks("x", all, 3) + few_ticks("y", all, 3);
    script += "set title " + base::gnuplot_quoted(panel.title + ", " + panel.note) +
              " font ',8' offset 0,-0.6\nplot x with lines dt 2 lw 0.8 lc rgb '#999999', $" + name +
              " with points pt 7 ps 0.15" + colour(Family::compiled) + "\n";
  }
  return data + script + "unset multiplot\n";
}

std::string gnuplot_script(const PlanFigure& figure) {
  if (figure.panels.empty()) return "";
  const std::size_t across = figure.panels.size() > 3 ? 3 : figure.panels.size();
  const std::string most = base::format_number(colour_end(figure, false)),
                    far = base::format_number(colour_end(figure, true));
  std::string data,
      script =
          "unset key\nset size square\nunset tics\nset border lw 0.5 lc rgb '#444444'\n"
          "set yrange [*:*] reverse\nset cbtics scale 0.3 font ',7'\n"
          "set multiplot layout " +
          std::to_string(figure.panels.size() > 3 ? 2 : 1) + "," + std::to_string(across) + "\n";
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    const PlanFigure::Panel& panel = figure.panels[i];
    const std::string name = "m" + std::to_string(i);
    data += matrix_block(name, panel.values);
    // The differences stand under the plans they belong to.
    if (panel.difference && i == across) script += "set multiplot next\n";
    script += panel.difference
                  ? "set palette defined (0 '#8f3f00', 1 '#e08a3c', 2 '#f6f7f9', 3 '#5aa9d8', 4 "
                    "'#00436e')\nset cbrange [-" +
                        far + ":" + far + "]\n"
                  : "set palette defined (0 '#f6f7f9', 1 '#7fb8dd', 2 '#2171b5', 4 "
                    "'#08306b')\nset cbrange [0:" +
                        most + "]\n";
    script += "set title " + base::gnuplot_quoted(panel.title) + " offset 0,-0.6\nplot $" + name +
              " matrix with image\n";
  }
  return data + script + "unset multiplot\n";
}

}  // namespace asap::evaluate
