#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "evaluate/draw/svg_chart.h"
#include "evaluate/study/plan_gallery.h"

namespace asap::evaluate {

/// Plans of one head on one example, side by side.
struct PlanFigure {
  struct Panel {
    std::string title;
    tensor::Tensor<float> values;
    bool difference = false;  ///< with both signs
  };
  std::vector<Panel> panels;
};

/// A picture for a paper and the name of its files.
struct PaperFigure {
  std::string name;
  std::variant<ScatterChart, BarChart, LineChart, CloudChart, PlanFigure> content;
};

/// UsageError, which names the package, when there is no gnuplot that draws SVG and PNG.
void require_gnuplot();

/// Draws NAME.svg and NAME.png (300 dots per inch) of each into `folder`, as wide as a column of a
/// paper (85 mm), the panels of many heads and plans as wide as two. UsageError as require_gnuplot.
void draw_paper_figures(const std::filesystem::path& folder,
                        const std::vector<PaperFigure>& figures);

/// Plans of the first example in the first layer's first head: teacher, truncation, compiled, and
/// the differences of the latter two from the teacher; no panels where there are no plans.
PlanFigure plan_figure(const PlanGallery& gallery);

}  // namespace asap::evaluate
