#pragma once

#include "evaluate/draw/svg_chart.h"
#include "io/json.h"

namespace asap::evaluate {

/// Charts as page/charts.js draws them. Numbers have four significant digits.
io::Json chart_json(const ScatterChart& chart);
io::Json chart_json(const BarChart& chart);
io::Json chart_json(const LineChart& chart);
io::Json chart_json(const CloudChart& chart);

/// Four significant digits; null for what is not finite.
io::Json short_number(double value);
io::Json short_numbers(const std::vector<double>& values);

}  // namespace asap::evaluate
