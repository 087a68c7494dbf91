#include "evaluate/draw/chart_json.h"

#include <cmath>

#include "base/format.h"
#include "base/text.h"

namespace asap {

Json short_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return parse_number<double>(format_significant(value)).value_or(value);
}

Json short_numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(short_number(value));
  return list;
}

Json chart_json(const ScatterChart& chart) {
  Json points = Json::array();
  for (const ChartPoint& point : chart.points)
    points.push_back({{"label", point.label},
                      {"x", short_number(point.x)},
                      {"y", short_number(point.y)},
                      {"family", family_name(point.family)}});
  return {{"kind", "scatter"},  {"title", chart.title}, {"x", chart.x_title},
          {"y", chart.y_title}, {"points", points},     {"lowerIsBetter", chart.lower_is_better}};
}

Json chart_json(const BarChart& chart) {
  Json bars = Json::array();
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

Json chart_json(const LineChart& chart) {
  Json lines = Json::array();
  for (const ChartLine& line : chart.lines) {
    Json one = {{"label", line.label},
                {"y", short_numbers(line.values)},
                {"family", family_name(line.family)}};
    if (!line.at.empty()) one["x"] = short_numbers(line.at);
    lines.push_back(one);
  }
  return {{"kind", "lines"}, {"title", chart.title}, {"x", chart.x_title}, {"y", chart.y_title},
          {"lines", lines},  {"logX", chart.log_x},  {"logY", chart.log_y}};
}

Json chart_json(const CloudChart& chart) {
  Json panels = Json::array();
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

}  // namespace asap
