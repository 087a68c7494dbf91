#include "evaluate/draw/chart_json.h"

#include <cmath>

#include "base/format.h"
#include "base/text.h"

namespace asap::evaluate {

io::Json short_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return base::parse_number<double>(base::format_significant(value)).value_or(value);
}

io::Json short_numbers(const std::vector<double>& values) {
  io::Json list = io::Json::array();
  for (const double value : values) list.push_back(short_number(value));
  return list;
}

io::Json chart_json(const ScatterChart& chart) {
  io::Json points = io::Json::array();
  for (const ChartPoint& point : chart.points)
    points.push_back({{"label", point.label},
                      {"x", short_number(point.x)},
                      {"y", short_number(point.y)},
                      {"family", family_name(point.family)}});
  return {{"kind", "scatter"},  {"title", chart.title}, {"x", chart.x_title},
          {"y", chart.y_title}, {"points", points},     {"lowerIsBetter", chart.lower_is_better}};
}

io::Json chart_json(const BarChart& chart) {
  io::Json bars = io::Json::array();
  for (const ChartBar& bar : chart.bars)
    bars.push_back({{"label", bar.label},
                    {"value", short_number(bar.value)},
                    {"family", family_name(bar.family)}});
  return {{"kind", "bars"},
          {"title", chart.title},
          {"x", chart.value_title},
          {"decimals", chart.decimals},
          {"bars", bars}};
}

io::Json chart_json(const LineChart& chart) {
  io::Json lines = io::Json::array();
  for (const ChartLine& line : chart.lines) {
    io::Json one = {{"label", line.label},
                    {"y", short_numbers(line.values)},
                    {"family", family_name(line.family)}};
    if (!line.at.empty()) one["x"] = short_numbers(line.at);
    lines.push_back(one);
  }
  return {{"kind", "lines"}, {"title", chart.title}, {"x", chart.x_title}, {"y", chart.y_title},
          {"lines", lines},  {"logX", chart.log_x},  {"logY", chart.log_y}};
}

io::Json chart_json(const CloudChart& chart) {
  io::Json panels = io::Json::array();
  for (const CloudPanel& panel : chart.panels)
    panels.push_back({{"title", panel.title},
                      {"note", panel.note},
                      {"x", short_numbers(panel.x)},
                      {"y", short_numbers(panel.y)}});
  return {{"kind", "clouds"},
          {"title", chart.title},
          {"x", chart.x_title},
          {"y", chart.y_title},
          {"panels", panels}};
}

}  // namespace asap::evaluate
