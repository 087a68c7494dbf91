#include "region/target/points_file.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/counted.h"
#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "io/json.h"
#include "io/number_fields.h"
#include "io/text_lines.h"

namespace asap::region {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const std::string& source, const ChosenColumns& chosen)
      : lines_(text),
        source_(source),
        chosen_(chosen),
        separator_(io::numbers_separator(text)),
        numbers_(separator_, source) {}

  PointsFile parse() {
    while (lines_.next()) {
      if (io::is_without_fields(lines_)) continue;
      std::vector<std::string> fields = io::split_fields(lines_.line(), separator_, place());
      if (fields.size() > std::max<std::size_t>(columns_.count, 1) && fields.back().empty())
        fields.pop_back();
      if (columns_.count == 0 && is_header(fields))
        take_columns(PointColumns::from_names(fields, chosen_, place()));
      else
        add(fields);
    }
    return std::move(file_);
  }

 private:
  std::string place() const { return source_ + ":" + std::to_string(lines_.number()); }
  [[noreturn]] void fail(const std::string& what, const std::string& hint) const {
    throw base::DataError(place() + ": " + what, hint);
  }

  void take_columns(PointColumns columns) {
    columns_ = std::move(columns);
    if (!columns_.note.empty()) file_.notes.push_back(columns_.note);
  }

  bool is_number(const std::string& field) {
    return numbers_.read(field, lines_.number()).has_value();
  }

  /// Whether the first line holds names: of several, none a number, the first one empty, or a
  /// chosen one among them.
  bool is_header(const std::vector<std::string>& fields) {
    if (fields.size() < 2) return false;
    for (const std::string* name : {&chosen_.x, &chosen_.y, &chosen_.weight})
      if (!name->empty() && !base::parse_number<double>(*name) &&
          std::ranges::find(fields, *name) != fields.end())
        return true;
    return fields.front().empty() ||
           std::ranges::none_of(fields, [&](const std::string& field) { return is_number(field); });
  }

  double number(const std::string& field) {
    const std::optional<double> value = numbers_.read(field, lines_.number());
    if (value) return *value;
    const bool two_separators = field.find_first_of(",; \t") != std::string::npos;
    fail("'" + io::excerpt(field) + "' is not a number",
         two_separators ? "use one separator in the whole file; a decimal comma is read where "
                          "semicolons separate the columns"
                        : "the columns are x, y and optionally a weight");
  }

  double finite(const std::vector<std::string>& fields, std::size_t column, const char* name) {
    if (fields[column].empty())
      fail(std::string(name) + " is empty", "remove the line or fill it in");
    const double value = number(fields[column]);
    if (!std::isfinite(value))
      fail(std::string(name) + " is not finite", "remove the line or repair the value");
    return value;
  }

  void add(const std::vector<std::string>& fields) {
    for (const std::string& field : fields)
      if (!chosen_.any() && !field.empty() && columns_.count != fields.size()) number(field);
    if (columns_.count == 0) take_columns(PointColumns::in_order(fields.size(), chosen_, place()));
    if (fields.size() != columns_.count)
      fail(base::counted(fields.size(), "column"),
           "the first line has " + std::to_string(columns_.count));
    file_.samples.x.push_back(finite(fields, columns_.x, "x"));
    file_.samples.y.push_back(finite(fields, columns_.y, "y"));
    if (!columns_.weight) return;
    const double weight = finite(fields, *columns_.weight, "the weight");
    if (!(weight > 0)) fail("the weight is not positive", "weights are inverse variances");
    file_.samples.weight.push_back(weight);
  }

  io::TextLines lines_;
  const std::string& source_;
  const ChosenColumns& chosen_;
  const char separator_;
  io::NumberReader numbers_;
  PointColumns columns_;
  PointsFile file_;
};

/// Sorts the points by x. Returns whether they were out of order.
bool sort_points(Samples& samples) {
  if (std::is_sorted(samples.x.begin(), samples.x.end())) return false;
  std::vector<std::size_t> order(samples.x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return samples.x[a] < samples.x[b]; });
  for (auto* column : {&samples.x, &samples.y, &samples.weight}) {
    if (column->empty()) continue;
    std::vector<double> sorted;
    sorted.reserve(order.size());
    for (const std::size_t from : order) sorted.push_back((*column)[from]);
    *column = std::move(sorted);
  }
  return true;
}

/// Replaces points of equal x by their weighted mean. Returns by how many the points decreased.
std::int64_t average_duplicates(PointsFile& file) {
  Samples& samples = file.samples;
  const auto equal = std::adjacent_find(samples.x.begin(), samples.x.end());
  if (equal == samples.x.end()) return 0;
  Samples merged;
  Spread& spread = file.spread;
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    const double y = samples.y[static_cast<std::size_t>(i)], weight = samples.weight_at(i);
    if (!merged.x.empty() && merged.x.back() == samples.x[static_cast<std::size_t>(i)]) {
      // Welford's update of a weighted mean and variance.
      const double away = y - merged.y.back(), before = merged.weight.back();
      merged.weight.back() += weight;
      merged.y.back() += away * weight / merged.weight.back();
      const double part = before / merged.weight.back();
      spread.variance.back() = part * (spread.variance.back() + (1 - part) * away * away);
      spread.low.back() = std::min(spread.low.back(), y);
      spread.high.back() = std::max(spread.high.back(), y);
      continue;
    }
    merged.x.push_back(samples.x[static_cast<std::size_t>(i)]);
    merged.y.push_back(y);
    merged.weight.push_back(weight);
    spread.low.push_back(y);
    spread.high.push_back(y);
    spread.variance.push_back(0);
  }
  const std::int64_t gone = samples.size() - merged.size();
  samples = std::move(merged);
  return gone;
}

/// Averages of finite numbers may overflow.
void require_finite(const Samples& samples, const std::string& source) {
  for (std::int64_t i = 0; i < samples.size(); ++i)
    if (!std::isfinite(samples.y[static_cast<std::size_t>(i)]) ||
        !std::isfinite(samples.weight_at(i)))
      throw base::DataError(source + ": points at x = " +
                                base::format_significant(samples.x[static_cast<std::size_t>(i)]) +
                                " are too large to be averaged",
                            "keep one of them, or scale y and the weights");
}

/// Sorts the points and averages those of equal x.
PointsFile prepared(PointsFile file, const std::string& source, int fewest, const char* hint) {
  if (sort_points(file.samples)) file.notes.push_back("the points were not in order of x: sorted");
  const std::int64_t gone = average_duplicates(file);
  require_finite(file.samples, source);
  if (gone > 0)
    file.notes.push_back(base::counted(gone, "point shares its x", "points share their x") +
                         " with another point: averaged for the fit; errors "
                         "are those of all points");
  require_points(file.samples, fewest,
                 source + ": " + base::counted(file.samples.size(), "point") + " of different x",
                 hint);
  return file;
}

/// Largest minus smallest value. DataError begins with `what`.
double require_span(const std::vector<double>& values, const std::string& what) {
  const auto [low, high] = std::ranges::minmax(values);
  const double size = std::max(std::abs(low), std::abs(high));
  if (size > kLargest)
    throw base::DataError(what + " reaches " + base::format_significant(size) +
                              ", the square of which is too large for float64",
                          "divide it by a constant");
  if (low < high && high - low < kLeastSpan)
    throw base::DataError(what + " changes by " + base::format_significant(high - low) +
                              " in all, the square of which is too small for float64",
                          "multiply it by a constant");
  return high - low;
}

void require_values(const std::vector<double>& values, const char* name, bool positive) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]) || (positive && !(values[i] > 0)))
      throw base::UsageError("`" + std::string(name) + "`: number " + std::to_string(i) + " is " +
                                 base::format_number(values[i]),
                             positive ? "weights are inverse variances: positive and finite"
                                      : "leave the point out, or repair the value");
}

}  // namespace

PointsFile parse_points(std::string_view bytes, const std::string& source,
                        const ChosenColumns& chosen, int fewest) {
  const io::DecodedText decoded(bytes, source);
  return prepared(Parser(decoded.text(), source, chosen).parse(), source, fewest,
                  "expected one line per point: x,y or x,y,weight");
}

PointsFile prepare_points(Samples points, const std::string& source) {
  const auto fits = [&](const std::vector<double>& column) {
    return column.size() == points.x.size();
  };
  if (!fits(points.y) || (!points.weight.empty() && !fits(points.weight)))
    throw base::UsageError("`x`, `y` and `weight` differ in length");
  require_values(points.x, "x", false);
  require_values(points.y, "y", false);
  require_values(points.weight, "weight", true);
  return prepared({std::move(points)}, source, kFewestPoints, "points of equal x are averaged");
}

void require_moderate(const Samples& points, const std::string& source,
                      const ChosenColumns& chosen) {
  const std::string x = chosen.x.empty() ? "x" : "column '" + chosen.x + "'",
                    y = chosen.y.empty() ? "y" : "column '" + chosen.y + "'";
  const double length = require_span(points.x, source + ": " + x);
  const double height = require_span(points.y, source + ": " + y);
  if (height / length / length > kLargest * kLargest)
    throw base::DataError(source + ": " + y + " changes by " + base::format_significant(height) +
                              " while " + x + " changes by " + base::format_significant(length) +
                              ", which is too steep for float64",
                          "multiply one or divide the other by a constant");
}

void require_points(const Samples& points, int fewest, const std::string& what,
                    const std::string& hint) {
  if (points.size() >= fewest) return;
  base::check(fewest == 1 || fewest == kFewestPoints, "require_points: there are words for both");
  throw base::DataError(what + (fewest == 1 ? ", one is needed" : ", at least four are needed"),
                        hint);
}

}  // namespace asap::region
