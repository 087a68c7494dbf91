#include "region/network/export_segments.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "region/network/c_text.h"

namespace asap::region {
namespace {

/// The piece whose line stands at a knot.
std::int64_t piece_at(const PiecewiseLinear& pieces, std::size_t knot) {
  return std::min(static_cast<std::int64_t>(knot), pieces.pieces() - 1);
}

}  // namespace

std::string segments_csv(const PiecewiseLinear& pieces) {
  std::string text = "x,y,slope,intercept\n";
  for (std::size_t k = 0; k < pieces.x.size(); ++k) {
    const std::int64_t piece = piece_at(pieces, k);
    text += base::format_number(pieces.x[k]) + "," + base::format_number(pieces.y[k]) + "," +
            base::format_number(pieces.slope(piece)) + "," +
            base::format_number(pieces.intercept(piece)) + "\n";
  }
  return text;
}

io::Json segments_json(const PiecewiseLinear& pieces) {
  io::Json json = {{"x", pieces.x},
                   {"y", pieces.y},
                   {"slope", io::Json::array()},
                   {"intercept", io::Json::array()}};
  for (std::size_t k = 0; k < pieces.x.size(); ++k) {
    json["slope"].push_back(pieces.slope(piece_at(pieces, k)));
    json["intercept"].push_back(pieces.intercept(piece_at(pieces, k)));
  }
  return json;
}

PiecewiseLinear lookup_pieces(const PiecewiseLinear& pieces, std::int64_t cells) {
  if (cells < 1 || cells > std::int64_t{1} << 24)
    throw base::UsageError("`cells` " + std::to_string(cells) + ": expected 1 to 16777216",
                           "for example `cells` 256");
  PiecewiseLinear table;
  const numerics::Interval interval{pieces.x.front(), pieces.x.back()};
  for (std::int64_t i = 0; i <= cells; ++i) {
    table.x.push_back(i == cells
                          ? interval.high
                          : interval.at(static_cast<double>(i) / static_cast<double>(cells)));
    table.y.push_back(pieces(table.x.back()));
  }
  return table;
}

std::string export_lookup_table(const PiecewiseLinear& pieces, std::int64_t cells,
                                const std::string& name, const std::string& comment) {
  const PiecewiseLinear table = lookup_pieces(pieces, cells);
  const double low = table.x.front(), step = (table.x.back() - low) / static_cast<double>(cells);
  CHeader header(name, comment);
  header.add("static const double " + name + "_table[" + std::to_string(cells + 1) + "] = {\n" +
             c_list(table.y) + "};\n\n");
  header.add("static inline double " + name + "(double x) {\n  const double place = (x - " +
             c_operand(low) + ") / " + c_literal(step) +
             ";\n  const int cell = place < 1.0 ? 0 : place >= " +
             c_literal(static_cast<double>(cells - 1)) + " ? " + std::to_string(cells - 1) +
             " : (int)place;\n  return " + name + "_table[cell] + (place - cell) * (" + name +
             "_table[cell + 1] - " + name + "_table[cell]);\n}\n");
  return header.text();
}

}  // namespace asap::region
