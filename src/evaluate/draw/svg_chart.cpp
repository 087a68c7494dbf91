#include "evaluate/draw/svg_chart.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "evaluate/draw/svg_parts.h"

namespace asap::evaluate {
namespace {

using namespace svg;

constexpr double kLabelGap = 17;  // between the base lines of two labels
constexpr double kBarStep = 28;

/// A point on the paper and where its label begins or ends.
struct Label {
  const ChartPoint* point;
  double x, y;  // of the point
  bool to_the_left = false;
  double text_y = 0;

  double text_x() const { return x + (to_the_left ? -13 : 13); }
  double text_width() const { return 9.5 * static_cast<double>(point->label.size()); }
  double text_left() const { return to_the_left ? text_x() - text_width() : text_x(); }
};

/// Whether the label, written at height y, covers another point or a label that has its place
/// already.
bool covers(const Label& label, double y, const std::vector<Label>& all, std::size_t placed) {
  const double left = label.text_left(), right = left + label.text_width();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Label& other = all[i];
    if (&other == &label) continue;
    if (other.x > left - 8 && other.x < right + 8 && std::abs(other.y - y) < 13) return true;
    if (i < placed && other.text_left() < right + 6 &&
        other.text_left() + other.text_width() > left - 6 && std::abs(other.text_y - y) < kLabelGap)
      return true;
  }
  return false;
}

/// Gives every label the free height nearest to its point.
void place(std::vector<Label>& labels, double highest, double lowest) {
  std::ranges::sort(labels, {}, &Label::y);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    Label& label = labels[i];
    label.to_the_left = label.x > 0.62 * kWidth;
    label.text_y = label.y;
    for (int offset = 0; offset < 60; ++offset) {
      const int steps = (offset + 1) / 2;
      const double y = label.y + (offset % 2 == 0 ? -4 : 4) * steps;
      if (y < highest || y > lowest || covers(label, y, labels, i)) continue;
      label.text_y = y;
      break;
    }
  }
}

/// Whether a method's name is written in bold.
bool is_strong(Family family) { return family == Family::teacher || family == Family::compiled; }

/// The line through the points that no other beats.
std::string draw_front(const ScatterChart& chart, const Axis& x, const Axis& y) {
  const std::vector<ChartPoint> best = front_points(chart);
  std::string path;
  for (const ChartPoint& point : best)
    path += path.empty() ? "M" + number(x.at(point.x)) + " " + number(y.at(point.y))
                         : " H" + number(x.at(point.x)) + " V" + number(y.at(point.y));
  return best.size() < 2 ? "" : "<path d=\"" + path + "\" class=\"front\"/>\n";
}

std::string draw_point(const Label& label) {
  const double text_x = label.text_x();
  std::string svg;
  if (std::abs(label.text_y - label.y) > 6)
    svg += line_between(label.x, label.y, text_x, label.text_y, "link");
  svg += "<circle cx=\"" + number(label.x) + "\" cy=\"" + number(label.y) +
         "\" r=\"6\" class=\"mark " + family_name(label.point->family) + "\"/>\n";
  return svg + text_at(text_x, label.text_y + 5, label.to_the_left ? "end" : "start",
                       label.point->label, is_strong(label.point->family) ? "strong" : "");
}

}  // namespace

std::string render_svg(const ScatterChart& chart) {
  double x_high = 0, y_low = INFINITY, y_high = -INFINITY;
  std::vector<Label> labels;
  for (const ChartPoint& point : chart.points) {
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) continue;
    x_high = std::max(x_high, point.x);
    y_low = std::min(y_low, point.y);
    y_high = std::max(y_high, point.y);
    labels.push_back({&point, 0, 0});
  }
  if (labels.empty())
    return document(40, chart.title, text_at(kWidth / 2, 25, "middle", "no data"));
  const double bottom = kChartHeight - kBottom;
  const Axis x{axis_ticks(0, x_high, 5), kLeft, kWidth - kRight};
  const Axis y{axis_ticks(y_low, y_high, 5), bottom, kTop};
  for (Label& label : labels) {
    label.x = x.at(label.point->x);
    label.y = y.at(label.point->y);
  }
  place(labels, kTop + 4, bottom - 8);
  std::string content = draw_axes({chart.x_title, chart.y_title}, x, y) + draw_front(chart, x, y);
  for (const Label& label : labels) content += draw_point(label);
  return document(kChartHeight, chart.title, content);
}

std::string render_svg(const BarChart& chart) {
  double largest = 0;
  std::size_t longest = 0, shown = 0;
  for (const ChartBar& bar : chart.bars) {
    if (!std::isfinite(bar.value)) continue;
    largest = std::max(largest, bar.value);
    longest = std::max(longest, bar.label.size());
    ++shown;
  }
  const double left = 16 + 8.5 * static_cast<double>(longest), room = kWidth - left - 80;
  double y = kTop;
  std::string content;
  for (const ChartBar& bar : chart.bars) {
    if (!std::isfinite(bar.value)) continue;
    const double length = largest > 0 ? room * bar.value / largest : 0;
    content += text_at(left - 8, y + 15, "end", bar.label, is_strong(bar.family) ? "strong" : "");
    content += "<rect x=\"" + number(left) + "\" y=\"" + number(y) + "\" width=\"" +
               number(std::max(length, 1.0)) + "\" height=\"20\" rx=\"3\" class=\"mark " +
               family_name(bar.family) + "\"/>\n";
    content +=
        text_at(left + length + 8, y + 15, "start", base::format_fixed(bar.value, chart.decimals));
    y += kBarStep;
  }
  content += text_at(left, y + 14, "start", chart.value_title, "strong");
  return document(kTop + kBarStep * static_cast<double>(shown) + 28, chart.title, content);
}

}  // namespace asap::evaluate
