#pragma once

#include "evaluate/draw/svg_chart.h"
#include "io/json.h"

namespace asap {

/// Charts as page/charts.js draws them. Numbers have four significant digits.
Json chart_json(const ScatterChart& chart);
Json chart_json(const BarChart& chart);
Json chart_json(const LineChart& chart);
Json chart_json(const CloudChart& chart);

/// Four significant digits; null for what is not finite.
Json short_number(double value);
Json short_numbers(const std::vector<double>& values);

}  // namespace asap
