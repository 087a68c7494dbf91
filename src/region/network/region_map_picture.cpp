// draw_regions of region_map.h.

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/format.h"
#include "base/text.h"
#include "region/network/region_map.h"

namespace asap::region {
namespace {

constexpr double kSide = 560, kLeft = 70, kTop = 50;

/// Colours of evenly growing lightness, which colour-blind readers can also distinguish.
std::string colour(double part) {
  constexpr double kStops[5][3] = {
      {68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}};
  const double position = 4 * std::clamp(part, 0.0, 1.0);
  const int stop = std::min(static_cast<int>(position), 3);
  const double rest = position - stop;
  int channels[3];
  for (int c = 0; c < 3; ++c)
    channels[c] = static_cast<int>(
        std::lround(kStops[stop][c] + rest * (kStops[stop + 1][c] - kStops[stop][c])));
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", channels[0] & 0xff, channels[1] & 0xff,
                channels[2] & 0xff);
  return text;
}

double middle_value(const RegionPolygon& polygon) {
  double x = 0, y = 0;
  for (const auto& corner : polygon.corners) {
    x += corner[0] / static_cast<double>(polygon.corners.size());
    y += corner[1] / static_cast<double>(polygon.corners.size());
  }
  return polygon.slope[0] * x + polygon.slope[1] * y + polygon.height;
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& text,
                    const std::string& more = "") {
  return "<text x=\"" + base::format_fixed(x, 1) + "\" y=\"" + base::format_fixed(y, 1) +
         "\" text-anchor=\"" + anchor + "\"" + more + ">" + base::escape_markup(text) + "</text>\n";
}

std::string colour_scale(numerics::Interval values) {
  constexpr int kSteps = 64;
  const double x = kLeft + kSide + 20, step = kSide / kSteps;
  std::string svg;
  for (int i = 0; i < kSteps; ++i)
    svg += "<rect x=\"" + base::format_fixed(x, 1) + "\" y=\"" +
           base::format_fixed(kTop + kSide - (i + 1) * step, 2) + "\" width=\"16\" height=\"" +
           base::format_fixed(step + 0.5, 2) + "\" fill=\"" + colour((i + 0.5) / kSteps) + "\"/>\n";
  for (const double part : {0.0, 0.5, 1.0})
    svg += text_at(x + 22, kTop + kSide * (1 - part) + 4, "start",
                   base::format_significant(values.at(part)));
  return svg;
}

std::string axes(const Rectangle& rectangle, const std::array<std::string, 2>& names) {
  std::string svg;
  for (const double part : {0.0, 0.5, 1.0}) {
    svg += text_at(kLeft + part * kSide, kTop + kSide + 18, "middle",
                   base::format_significant(rectangle.x.at(part)));
    svg += text_at(kLeft - 8, kTop + (1 - part) * kSide + 4, "end",
                   base::format_significant(rectangle.y.at(part)));
  }
  svg += text_at(kLeft + kSide / 2, kTop + kSide + 40, "middle", names[0]);
  return svg +
         text_at(18, kTop + kSide / 2, "middle", names[1],
                 " transform=\"rotate(-90 18 " + base::format_fixed(kTop + kSide / 2, 1) + ")\"");
}

}  // namespace

std::string draw_regions(const std::vector<RegionPolygon>& polygons, const Rectangle& rectangle,
                         const std::array<std::string, 2>& names, const std::string& title) {
  numerics::Interval values{middle_value(polygons.front()), middle_value(polygons.front())};
  for (const RegionPolygon& polygon : polygons) {
    values.low = std::min(values.low, middle_value(polygon));
    values.high = std::max(values.high, middle_value(polygon));
  }
  if (!(values.low < values.high)) values.high = values.low + 1;
  // Thick borders would hide thousands of small regions.
  const double border = polygons.size() < 2000 ? 0.6 : 0.25;
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"740\" height=\"670\" viewBox=\"0 0 740 "
      "670\" font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"740\" height=\"670\" "
      "fill=\"#ffffff\"/>\n";
  svg += text_at(kLeft, 28, "start", title, " font-size=\"15\"");
  svg += "<g stroke=\"#ffffff\" stroke-width=\"" + base::format_fixed(border, 2) +
         "\" stroke-linejoin=\"round\">\n";
  for (const RegionPolygon& polygon : polygons) {
    svg += "<path d=\"";
    for (std::size_t i = 0; i < polygon.corners.size(); ++i)
      svg += (i == 0 ? "M" : "L") +
             base::format_fixed(kLeft + kSide * rectangle.x.unit(polygon.corners[i][0]), 2) + " " +
             base::format_fixed(kTop + kSide * (1 - rectangle.y.unit(polygon.corners[i][1])), 2);
    svg += "Z\" fill=\"" + colour(values.unit(middle_value(polygon))) + "\"/>\n";
  }
  return svg + "</g>\n" + axes(rectangle, names) + colour_scale(values) + "</svg>\n";
}

}  // namespace asap::region
