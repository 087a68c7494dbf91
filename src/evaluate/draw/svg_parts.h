#pragma once

#include <string>
#include <vector>

#include "evaluate/draw/svg_chart.h"

namespace asap::evaluate::svg {

/// What the charts are made of. Lengths are in the units of the view box; text stays readable when
/// a phone scales the picture to 360 pixels.
inline constexpr double kWidth = 520;
inline constexpr double kChartHeight = 380;
inline constexpr double kLeft = 70, kRight = 24, kTop = 16, kBottom = 54;

/// A coordinate: tenths are finer than any screen shows.
std::string number(double value);

/// anchor: start, middle or end.
std::string text_at(double x, double y, const std::string& anchor, const std::string& text,
                    const std::string& css_class = "");

std::string line_between(double x1, double y1, double x2, double y2, const std::string& css_class);

/// The whole picture.
std::string document(double height, const std::string& title, const std::string& content);

/// A map from values to coordinates, linear or logarithmic.
struct Axis {
  std::vector<double> ticks;
  double from, to;  ///< coordinates of the first and last tick
  bool logarithmic = false;

  double at(double value) const;
  bool shows(double value) const;
};

struct AxisTitles {
  std::string x, y;
};

std::string draw_axes(const AxisTitles& titles, const Axis& x, const Axis& y);

}  // namespace asap::evaluate::svg
