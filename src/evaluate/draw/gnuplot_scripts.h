#pragma once

#include <cstdint>
#include <string>

#include "evaluate/draw/paper_figures.h"

namespace asap::evaluate {

/// What gnuplot draws once terminal and output are set; empty when there is nothing to draw.
std::string gnuplot_script(const ScatterChart& chart);
std::string gnuplot_script(const BarChart& chart);
std::string gnuplot_script(const LineChart& chart);
std::string gnuplot_script(const CloudChart& chart);
std::string gnuplot_script(const PlanFigure& figure);

/// Number of rows in which this number of panels is laid out.
int gnuplot_rows(std::int64_t panels);

}  // namespace asap::evaluate
