#include "region/network/export_fixed_point.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "region/network/c_text.h"

namespace asap::region {
namespace {

/// The scale whose numbers cover [low, high].
FixedScale covering(double low, double high, int bits) {
  FixedScale scale;
  scale.bits = bits;
  // q runs from -2^bits to 2^bits - 1: 2^(bits + 1) - 1 steps.
  const double step = (high - low) / (std::ldexp(1.0, bits + 1) - 1);
  scale.scale = std::ldexp(step > 0 ? step : std::numeric_limits<double>::min(), bits);
  scale.offset = low + scale.scale;
  return scale;
}

/// The knots in the input's numbers, each rounded; several that become one are one.
std::vector<std::int64_t> rounded_knots(const PiecewiseLinear& pieces, const FixedScale& input) {
  std::vector<std::int64_t> knots;
  for (const double x : pieces.x) {
    const std::int64_t q = input.nearest(x);
    if (knots.empty() || q > knots.back()) knots.push_back(q);
  }
  return knots;
}

/// The lines between the fixed knots.
PiecewiseLinear lines_of(const FixedPieces& fixed) {
  PiecewiseLinear lines;
  for (std::size_t k = 0; k < fixed.x.size(); ++k) {
    lines.x.push_back(fixed.input.value(fixed.x[k]));
    lines.y.push_back(fixed.output.value(fixed.y[k]));
  }
  return lines;
}

std::string scale_macros(const std::string& name, const char* which, const FixedScale& scale) {
  const std::string stem = "#define " + c_macro(name) + "_" + which;
  return stem + "_OFFSET " + c_operand(scale.offset) + "\n" + stem + "_STEP " +
         c_operand(scale.step()) + "\n";
}

}  // namespace

std::int64_t FixedScale::nearest(double value) const {
  const double q = std::round((value - offset) / step());
  return static_cast<std::int64_t>(
      std::clamp(q, static_cast<double>(lowest()), static_cast<double>(highest())));
}

std::int64_t FixedPieces::operator()(std::int64_t q) const {
  if (q <= x.front()) return y.front();
  if (q >= x.back()) return y.back();
  const auto right = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), q) - x.begin());
  const auto width = static_cast<std::uint64_t>(x[right] - x[right - 1]);
  const auto part = static_cast<std::uint64_t>(q - x[right - 1]);
  const std::int64_t rise = y[right] - y[right - 1];
  const auto size = static_cast<std::uint64_t>(rise < 0 ? -rise : rise);
  const auto move = static_cast<std::int64_t>((size * part + width / 2) / width);
  return y[right - 1] + (rise < 0 ? -move : move);
}

FixedPieces to_fixed_point(const PiecewiseLinear& pieces, int bits) {
  base::check(bits == 15 || bits == 31, "to_fixed_point: 15 or 31 bits");
  FixedPieces fixed;
  fixed.input = covering(pieces.x.front(), pieces.x.back(), bits);
  const auto [low, high] = std::minmax_element(pieces.y.begin(), pieces.y.end());
  fixed.output = covering(*low, *high, bits);
  fixed.x = rounded_knots(pieces, fixed.input);
  for (const std::int64_t q : fixed.x)
    fixed.y.push_back(fixed.output.nearest(pieces(fixed.input.value(q))));
  // Interpolation rounds to half a step; the rest is the rounding of this calculation in double.
  const double size = std::max(std::abs(*low), std::abs(*high));
  fixed.error = largest_difference(pieces, lines_of(fixed)) + fixed.output.step() / 2 +
                32 * std::numeric_limits<double>::epsilon() * size;
  return fixed;
}

std::string export_fixed_point(const FixedPieces& pieces, const std::string& name,
                               const std::string& comment) {
  const bool narrow = pieces.input.bits == 15;
  const std::string type = narrow ? "int16_t" : "int32_t", wide = narrow ? "int32_t" : "int64_t";
  const std::string product = narrow ? "uint32_t" : "uint64_t";
  const std::string knots = std::to_string(pieces.x.size());
  CHeader header(name, comment);
  header.add("#include <stdint.h>\n\n");
  header.add("/* x stands for X_OFFSET + X_STEP * x, the result y for Y_OFFSET + Y_STEP * y. */\n");
  header.add(scale_macros(name, "X", pieces.input) + scale_macros(name, "Y", pieces.output) + "\n");
  const auto table = [&](const char* which, const std::vector<std::int64_t>& values) {
    header.add("static const " + type + " " + name + "_" + which + "[" + knots + "] = {\n" +
               c_list(values) + "};\n");
  };
  table("x", pieces.x);
  table("y", pieces.y);
  header.add("\nstatic inline " + type + " " + name + "(" + type + " x) {\n");
  header.add("  int low = 0, high = " + std::to_string(pieces.x.size() - 1) + ";\n");
  header.add("  if (x <= " + name + "_x[low]) return " + name + "_y[low];\n");
  header.add("  if (x >= " + name + "_x[high]) return " + name + "_y[high];\n");
  header.add("  while (high - low > 1) {\n    const int middle = (low + high) / 2;\n    if (x < " +
             name + "_x[middle]) high = middle; else low = middle;\n  }\n");
  header.add("  const " + product + " width = (" + product + ")((" + wide + ")" + name +
             "_x[high] - " + name + "_x[low]);\n");
  header.add("  const " + product + " part = (" + product + ")((" + wide + ")x - " + name +
             "_x[low]);\n");
  header.add("  const " + wide + " rise = (" + wide + ")" + name + "_y[high] - " + name +
             "_y[low];\n");
  header.add("  const " + product + " size = (" + product + ")(rise < 0 ? -rise : rise);\n");
  header.add("  const " + wide + " move = (" + wide + ")((size * part + width / 2) / width);\n");
  header.add("  return (" + type + ")(" + name + "_y[low] + (rise < 0 ? -move : move));\n}\n");
  return header.text();
}

}  // namespace asap::region
