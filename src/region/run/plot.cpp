#include "region/run/plot.h"

#include <cmath>

#include "base/picture.h"
#include "base/text.h"

namespace asap::region {
namespace {

constexpr std::size_t kMostBoundaries = 600;  // more would blur into grey
constexpr std::size_t kMostPoints = 2000;

void append_block(std::string& script, const std::string& name, const std::vector<double>& x,
                  const std::vector<double>& first, const std::vector<double>& second) {
  script += "$" + name + " << END_OF_DATA\n";
  for (std::size_t i = 0; i < x.size(); ++i) {
    script += base::format_number(x[i]) + " " + base::format_number(first[i]);
    if (!second.empty()) script += " " + base::format_number(second[i]);
    script += "\n";
  }
  script += "END_OF_DATA\n";
}

/// Script lines shared by both pictures.
std::string data_blocks(const FitPlot& plot, bool boundaries, bool points) {
  std::string script;
  append_block(script, "curve", plot.x, plot.target, plot.fit);
  std::vector<double> error;
  for (std::size_t i = 0; i < plot.x.size(); ++i)
    error.push_back(std::max(std::abs(plot.fit[i] - plot.target[i]), 1e-17));
  append_block(script, "error", plot.x, error, {});
  if (boundaries)
    append_block(script, "ends", plot.boundaries, std::vector<double>(plot.boundaries.size(), 1.0),
                 {});
  if (points) append_block(script, "points", plot.data_x, plot.data_y, {});
  return script;
}

std::string panels(const FitPlot& plot, bool boundaries, bool points) {
  std::string script = "set multiplot\nset xrange [" + base::format_number(plot.x.front()) + ":" +
                       base::format_number(plot.x.back()) + "]\n";
  script +=
      "set lmargin 11\nset rmargin 3\nset grid lc rgb '#dddddd'\nset border lc rgb '#444444'\n";
  script +=
      "set origin 0, 0.42\nset size 1, 0.58\nset bmargin 2\nset tmargin 2.2\nset key top left\n";
  script += "set title " + base::gnuplot_quoted(plot.title) + " noenhanced\nset ylabel 'y'\nplot ";
  if (points)
    script += "$points using 1:2 with points pt 7 ps 0.3 lc rgb '#bbbbbb' title 'points', ";
  script += "$curve using 1:2 with lines lw 4 lc rgb '#9ecae1' title 'target', ";
  script += "$curve using 1:3 with lines lw 1.4 lc rgb '#d62728' title 'network'\n";
  script += "unset title\nset origin 0, 0\nset size 1, 0.42\nset tmargin 0.5\nset bmargin 3\n";
  script +=
      "set logscale y\nset format y '10^{%T}'\nset ylabel '|error|'\nset xlabel 'x'\nunset key\n";
  if (boundaries) {
    script +=
        "set y2range [0:1]\nplot $ends using 1:2 axes x1y2 with impulses lw 0.6 lc rgb '#bbbbbb', ";
  } else {
    script += "plot ";
  }
  return script + "$error using 1:2 with lines lw 1.2 lc rgb '#1f77b4'\nunset multiplot\n";
}

}  // namespace

bool draw_fit(const FitPlot& plot, const std::filesystem::path& svg,
              const std::filesystem::path& png) {
  const bool boundaries = plot.boundaries.size() <= kMostBoundaries;
  const bool points = !plot.data_x.empty() && plot.data_x.size() <= kMostPoints;
  return base::draw_pictures({{svg, "svg size 900, 640 font 'sans,13' background rgb 'white'"},
                              {png, "pngcairo size 900, 640"}},
                             data_blocks(plot, boundaries, points),
                             panels(plot, boundaries, points));
}

}  // namespace asap::region
