#include "evaluate/draw/paper_figures.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/picture.h"
#include "base/text.h"
#include "evaluate/draw/gnuplot_scripts.h"

namespace asap::evaluate {
namespace {

/// Size of a picture in points of 1/96 inch; 85 mm or 176 mm wide.
struct PaperSize {
  int width, height;
};

constexpr int kColumn = 321, kPage = 665;
constexpr double kDots = 300.0 / 96;  // pixels of a PNG per point

PaperSize size_of(const ScatterChart&) { return {kColumn, 270}; }
PaperSize size_of(const BarChart&) { return {kColumn, 210}; }
PaperSize size_of(const LineChart& chart) {
  return {kColumn, 210 + 8 * static_cast<int>(chart.lines.size())};
}
PaperSize size_of(const CloudChart& chart) {
  return {kPage, 170 * gnuplot_rows(std::ssize(chart.panels))};
}
PaperSize size_of(const PlanFigure& figure) {
  return {kPage, figure.panels.size() > 3 ? 430 : 230};
}

std::string scaled(double value) { return base::format_number(std::round(value * 100) / 100); }

std::string svg_terminal(const PaperSize& size) {
  return "svg size " + std::to_string(size.width) + "," + std::to_string(size.height) +
         " noenhanced font 'Helvetica,10' background rgb 'white'";
}

std::string png_terminal(const PaperSize& size) {
  const std::string scale = scaled(kDots * 0.75);
  return "pngcairo size " + std::to_string(static_cast<int>(size.width * kDots)) + "," +
         std::to_string(static_cast<int>(size.height * kDots)) +
         " noenhanced font 'Helvetica,10' fontscale " + scale + " linewidth " + scale +
         " pointscale " + scale + " background rgb 'white'";
}

void draw(const base::Picture& picture, const std::string& script) {
  if (!base::draw_pictures({picture}, "set encoding utf8\n", script))
    throw base::InternalError("gnuplot failed to draw " + picture.file.string());
}

}  // namespace

void require_gnuplot() {
  if (!base::gnuplot_has({"svg", "pngcairo"}))
    throw base::UsageError("figures need gnuplot with the terminals svg and pngcairo",
                           "install Debian's gnuplot-nox, or go without figures");
}

void draw_paper_figures(const std::filesystem::path& folder,
                        const std::vector<PaperFigure>& figures) {
  require_gnuplot();
  base::make_directories(folder);
  for (const PaperFigure& figure : figures)
    std::visit(
        [&](const auto& content) {
          const std::string script = gnuplot_script(content);
          if (script.empty()) return;
          const PaperSize size = size_of(content);
          draw({folder / (figure.name + ".svg"), svg_terminal(size)}, script);
          draw({folder / (figure.name + ".png"), png_terminal(size)}, script);
        },
        figure.content);
}

PlanFigure plan_figure(const PlanGallery& gallery) {
  PlanFigure figure;
  if (gallery.examples.empty()) return figure;
  const auto& plans = gallery.examples[0].plans;
  std::vector<std::size_t> methods;
  for (const std::size_t method : {gallery.truncated, gallery.compiled})
    if (method > 0) methods.push_back(method);
  figure.panels.push_back({"teacher", plans[0][0]});
  for (const std::size_t method : methods)
    figure.panels.push_back({gallery.methods[method], plans[method][0]});
  for (const std::size_t method : methods) {
    tensor::Tensor<float> difference = plans[method][0];
    for (std::int64_t i = 0; i < difference.size(); ++i) difference[i] -= plans[0][0][i];
    figure.panels.push_back({gallery.methods[method] + " − teacher", std::move(difference), true});
  }
  return figure;
}

}  // namespace asap::evaluate
