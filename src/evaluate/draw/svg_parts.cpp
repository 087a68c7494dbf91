#include "evaluate/draw/svg_parts.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace asap::evaluate {
namespace svg {
namespace {

/// Rules that give every family its colour.
std::string family_rules(const char* (*colour_of)(Family)) {
  std::string rules;
  for (const Family family : kFamilies)
    rules += std::string(".asap-chart .") + family_name(family) + "{--c:" + colour_of(family) + "}";
  return rules;
}

std::string style() {
  return "<style>"
         ".asap-chart{font:14px system-ui,sans-serif;fill:#444}"
         ".asap-chart .grid{stroke:#ddd}.asap-chart .link{stroke:#bbb}" +
         family_rules(family_colour) +
         ".asap-chart .mark{fill:var(--c)}.asap-chart .strong{font-weight:600}"
         ".asap-chart .line{fill:none;stroke:var(--c);stroke-width:2.5}"
         ".asap-chart .dots{fill:none;stroke:var(--c);stroke-width:3;stroke-linecap:round;"
         "opacity:.6}"
         ".asap-chart .front{fill:none;stroke:#999;stroke-dasharray:4 4}"
         "@media(prefers-color-scheme:dark){.asap-chart{fill:#ccc}.asap-chart .grid{stroke:#3a3f47}"
         ".asap-chart .link{stroke:#666}" +
         family_rules(family_dark_colour) + "}</style>";
}

/// Short enough to stand beside the axis' title.
std::string tick_text(double tick, const Axis& axis) {
  if (!axis.logarithmic || tick >= 0.01) return base::format_significant(tick);
  const int power = static_cast<int>(std::floor(std::log10(tick) + 1e-9));
  return base::format_significant(tick / std::pow(10.0, power)) + "e" + std::to_string(power);
}

}  // namespace

std::string number(double value) { return base::format_fixed(value, 1); }

std::string text_at(double x, double y, const std::string& anchor, const std::string& text,
                    const std::string& css_class) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\"" +
         (css_class.empty() ? "" : " class=\"" + css_class + "\"") + ">" +
         base::escape_markup(text) + "</text>\n";
}

std::string line_between(double x1, double y1, double x2, double y2, const std::string& css_class) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
         "\" y2=\"" + number(y2) + "\" class=\"" + css_class + "\"/>\n";
}

std::string document(double height, const std::string& title, const std::string& content) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " +
         number(height) + "\" role=\"img\" class=\"asap-chart\" aria-label=\"" +
         base::escape_markup(title) + "\">\n<title>" + base::escape_markup(title) + "</title>\n" +
         style() + "\n" + content + "</svg>\n";
}

double Axis::at(double value) const {
  const auto place = [&](double v) { return logarithmic ? std::log10(v) : v; };
  const double low = place(ticks.front()), high = place(ticks.back());
  return from + (to - from) * (place(value) - low) / (high - low);
}

bool Axis::shows(double value) const { return std::isfinite(value) && (!logarithmic || value > 0); }

std::string draw_axes(const AxisTitles& titles, const Axis& x, const Axis& y) {
  std::string svg;
  for (const double tick : y.ticks) {
    svg += line_between(x.from, y.at(tick), x.to, y.at(tick), "grid");
    svg += text_at(x.from - 8, y.at(tick) + 5, "end", tick_text(tick, y));
  }
  for (const double tick : x.ticks) {
    svg += line_between(x.at(tick), y.from, x.at(tick), y.from + 5, "grid");
    svg += text_at(x.at(tick), y.from + 21, "middle", tick_text(tick, x));
  }
  svg += text_at((x.from + x.to) / 2, y.from + 44, "middle", titles.x, "strong");
  const std::string middle = number((y.from + y.to) / 2);
  svg += "<text transform=\"translate(16 " + middle +
         ") rotate(-90)\" text-anchor=\"middle\" class=\"strong\">" +
         base::escape_markup(titles.y) + "</text>\n";
  return svg;
}

}  // namespace svg

std::vector<double> logarithmic_ticks(double low, double high) {
  const double span = std::log10(high / low);
  const std::vector<double> factors =
      span > 2.5 ? std::vector<double>{1} : std::vector<double>{1, 2, 5};
  std::vector<double> all, ticks;
  const int first = static_cast<int>(std::floor(std::log10(low) + 1e-9)) - 1;
  const int last = static_cast<int>(std::ceil(std::log10(high) - 1e-9)) + 1;
  for (int power = first; power <= last; ++power)
    for (const double factor : factors) all.push_back(factor * std::pow(10.0, power));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool before = i + 1 < all.size() && all[i + 1] <= low * (1 + 1e-9);
    const bool behind = i > 0 && all[i - 1] >= high * (1 - 1e-9);
    if (!before && !behind) ticks.push_back(all[i]);
  }
  return ticks;
}

std::vector<bool> pareto_front(const std::vector<ChartPoint>& points, bool lower_is_better) {
  const double sign = lower_is_better ? -1 : 1;
  std::vector<bool> front(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const ChartPoint& point = points[i];
    front[i] = std::isfinite(point.x) && std::isfinite(point.y) &&
               std::ranges::none_of(points, [&](const ChartPoint& other) {
                 const double gain = sign * (other.y - point.y);
                 return other.x <= point.x && gain >= 0 && (other.x < point.x || gain > 0);
               });
  }
  return front;
}

std::vector<ChartPoint> front_points(const ScatterChart& chart) {
  const std::vector<bool> front = pareto_front(chart.points, chart.lower_is_better);
  std::vector<ChartPoint> best;
  for (std::size_t i = 0; i < front.size(); ++i)
    if (front[i]) best.push_back(chart.points[i]);
  std::ranges::sort(best, {}, &ChartPoint::x);
  return best;
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

}  // namespace asap::evaluate
