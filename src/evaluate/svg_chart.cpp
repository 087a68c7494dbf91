#include "evaluate/svg_chart.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace asap {
namespace {

// Sizes in the units of the view box. The text stays readable when a phone scales the picture to
// 360 pixels.
constexpr double kWidth = 520;
constexpr double kScatterHeight = 380;
constexpr double kLeft = 70, kRight = 24, kTop = 16, kBottom = 54;
constexpr double kLabelGap = 17;  // between the base lines of two labels
constexpr double kBarStep = 28;

const char* const kStyle =
    "<style>"
    ".asap-chart{font:14px system-ui,sans-serif;fill:#444}"
    ".asap-chart .grid{stroke:#ddd}.asap-chart .link{stroke:#bbb}"
    ".asap-chart .plain{fill:#8a8f98}.asap-chart .reference{fill:#d9822b}"
    ".asap-chart .subject{fill:#2f6fde}.asap-chart .strong{font-weight:600}"
    "@media(prefers-color-scheme:dark){.asap-chart{fill:#ccc}.asap-chart .grid{stroke:#3a3f47}"
    ".asap-chart .link{stroke:#666}.asap-chart .plain{fill:#8a8f98}"
    ".asap-chart .reference{fill:#f0a35e}.asap-chart .subject{fill:#74a3f5}}"
    "</style>";

const char* class_of(Emphasis emphasis) {
  switch (emphasis) {
    case Emphasis::plain:
      return "plain";
    case Emphasis::reference:
      return "reference";
    case Emphasis::subject:
      return "subject";
  }
  return "plain";
}

/// A coordinate: tenths are finer than any screen shows.
std::string number(double value) { return format_fixed(value, 1); }

std::string text_at(double x, double y, const std::string& anchor, const std::string& text,
                    const std::string& css_class = "") {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\"" +
         (css_class.empty() ? "" : " class=\"" + css_class + "\"") + ">" + escape_markup(text) +
         "</text>\n";
}

std::string line_between(double x1, double y1, double x2, double y2, const std::string& css_class) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
         "\" y2=\"" + number(y2) + "\" class=\"" + css_class + "\"/>\n";
}

std::string document(double height, const std::string& title, const std::string& content) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " +
         number(height) + "\" role=\"img\" class=\"asap-chart\" aria-label=\"" +
         escape_markup(title) + "\">\n<title>" + escape_markup(title) + "</title>\n" + kStyle +
         "\n" + content + "</svg>\n";
}

/// A linear map from values to coordinates.
struct Axis {
  std::vector<double> ticks;
  double from, to;  // coordinates of the first and last tick

  double at(double value) const {
    return from + (to - from) * (value - ticks.front()) / (ticks.back() - ticks.front());
  }
};

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
      const double y = label.y + (offset % 2 == 0 ? -4 : 4) * ((offset + 1) / 2);
      if (y < highest || y > lowest || covers(label, y, labels, i)) continue;
      label.text_y = y;
      break;
    }
  }
}

std::string draw_axes(const ScatterChart& chart, const Axis& x, const Axis& y) {
  std::string svg;
  for (const double tick : y.ticks) {
    svg += line_between(x.from, y.at(tick), x.to, y.at(tick), "grid");
    svg += text_at(x.from - 8, y.at(tick) + 5, "end", format_significant(tick));
  }
  for (const double tick : x.ticks) {
    svg += line_between(x.at(tick), y.from, x.at(tick), y.from + 5, "grid");
    svg += text_at(x.at(tick), y.from + 21, "middle", format_significant(tick));
  }
  svg += text_at((x.from + x.to) / 2, y.from + 44, "middle", chart.x_title, "strong");
  const std::string middle = number((y.from + y.to) / 2);
  svg += "<text transform=\"translate(16 " + middle +
         ") rotate(-90)\" text-anchor=\"middle\" class=\"strong\">" + escape_markup(chart.y_title) +
         "</text>\n";
  return svg;
}

std::string draw_point(const Label& label) {
  const double text_x = label.text_x();
  std::string svg;
  if (std::abs(label.text_y - label.y) > 6)
    svg += line_between(label.x, label.y, text_x, label.text_y, "link");
  svg += "<circle cx=\"" + number(label.x) + "\" cy=\"" + number(label.y) + "\" r=\"6\" class=\"" +
         class_of(label.point->emphasis) + "\"/>\n";
  const bool plain = label.point->emphasis == Emphasis::plain;
  return svg + text_at(text_x, label.text_y + 5, label.to_the_left ? "end" : "start",
                       label.point->label, plain ? "" : "strong");
}

}  // namespace

std::string escape_markup(const std::string& text) {
  std::string result;
  for (const char character : text) {
    switch (character) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += character;
    }
  }
  return result;
}

std::vector<double> axis_ticks(double low, double high, int count) {
  if (!(high > low)) high = low + std::max(1e-3, std::abs(low) * 1e-3);
  const double rough = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  std::vector<double> ticks;
  const auto first = static_cast<std::int64_t>(std::floor(low / step + 1e-9));
  const auto last = static_cast<std::int64_t>(std::ceil(high / step - 1e-9));
  for (std::int64_t i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

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
  const double bottom = kScatterHeight - kBottom;
  const Axis x{axis_ticks(0, x_high, 5), kLeft, kWidth - kRight};
  const Axis y{axis_ticks(y_low, y_high, 5), bottom, kTop};
  for (Label& label : labels) {
    label.x = x.at(label.point->x);
    label.y = y.at(label.point->y);
  }
  place(labels, kTop + 4, bottom - 8);
  std::string content = draw_axes(chart, x, y);
  for (const Label& label : labels) content += draw_point(label);
  return document(kScatterHeight, chart.title, content);
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
    content += text_at(left - 8, y + 15, "end", bar.label,
                       bar.emphasis == Emphasis::plain ? "" : "strong");
    content += "<rect x=\"" + number(left) + "\" y=\"" + number(y) + "\" width=\"" +
               number(std::max(length, 1.0)) + "\" height=\"20\" rx=\"3\" class=\"" +
               class_of(bar.emphasis) + "\"/>\n";
    content += text_at(left + length + 8, y + 15, "start", format_fixed(bar.value, chart.decimals));
    y += kBarStep;
  }
  content += text_at(left, y + 14, "start", chart.value_title, "strong");
  return document(kTop + kBarStep * static_cast<double>(shown) + 28, chart.title, content);
}

}  // namespace asap
