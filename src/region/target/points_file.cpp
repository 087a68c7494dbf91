#include "region/target/points_file.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "io/json.h"

namespace asap::region {
namespace {

/// Cuts the next field off a trimmed line: up to a comma or semicolon, or up to blanks.
std::string_view next_field(std::string_view& rest) {
  const std::size_t end = std::min(rest.find_first_of(",; \t"), rest.size());
  const std::string_view field = rest.substr(0, end);
  rest = base::trim(rest.substr(end));
  if (rest.starts_with(',') || rest.starts_with(';')) rest = base::trim(rest.substr(1));
  return field;
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& source) : rest_(text), source_(source) {}

  Samples parse() {
    while (!rest_.empty()) {
      const std::size_t end = std::min(rest_.find('\n'), rest_.size());
      const std::string_view content = base::trim(rest_.substr(0, end));
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++line_;
      if (!content.empty() && content.front() != '#') add(content);
    }
    return std::move(samples_);
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& hint) const {
    throw base::DataError(source_ + ":" + std::to_string(line_) + ": " + what, hint);
  }

  void add(std::string_view content) {
    double values[3] = {0, 0, 1};
    std::size_t count = 0;
    std::string_view rest = content, bad;
    while (!rest.empty()) {
      const std::string_view field = next_field(rest);
      const std::optional<double> value = to_number(field);
      if (!value && bad.data() == nullptr) bad = field;
      if (count < 3) values[count] = value.value_or(0);
      ++count;
    }
    if (bad.data() != nullptr) {
      std::string_view first = content;
      if (samples_.x.empty() && !header_ && !to_number(next_field(first))) {
        header_ = true;
        return;
      }
      fail("'" + io::excerpt(bad) + "' is not a number",
           "the columns are x, y and optionally a weight");
    }
    if (columns_ == 0) columns_ = count;
    if (count != columns_ || count < 2 || count > 3)
      fail(std::to_string(count) + (count == 1 ? " column" : " columns"),
           columns_ == count ? "expected x, y and optionally a weight"
                             : "the first line of numbers has " + std::to_string(columns_));
    for (std::size_t c = 0; c < count; ++c)
      if (!std::isfinite(values[c]))
        fail(std::string(c == 0   ? "x"
                         : c == 1 ? "y"
                                  : "the weight") +
                 " is not finite",
             "remove the line or repair the value");
    if (!(values[2] > 0)) fail("the weight is not positive", "weights are inverse variances");
    samples_.x.push_back(values[0]);
    samples_.y.push_back(values[1]);
    if (columns_ == 3) samples_.weight.push_back(values[2]);
  }

  std::string_view rest_;
  const std::string& source_;
  Samples samples_;
  std::size_t columns_ = 0;
  std::int64_t line_ = 0;
  bool header_ = false;
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
std::int64_t average_duplicates(Samples& samples) {
  const auto equal = std::adjacent_find(samples.x.begin(), samples.x.end());
  if (equal == samples.x.end()) return 0;
  Samples merged;
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double weight = samples.weight_at(i);
    if (!merged.x.empty() && merged.x.back() == samples.x[at]) {
      merged.weight.back() += weight;
      merged.y.back() += (samples.y[at] - merged.y.back()) * weight / merged.weight.back();
      continue;
    }
    merged.x.push_back(samples.x[at]);
    merged.y.push_back(samples.y[at]);
    merged.weight.push_back(weight);
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
                            "keep one of the lines, or scale y and the weights");
}

}  // namespace

std::optional<double> to_number(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  return base::parse_number<double>(field);
}

PointsFile parse_points(std::string_view text, const std::string& source) {
  PointsFile file{Parser(text, source).parse(), {}};
  if (sort_points(file.samples)) file.notes.push_back("the points were not in order of x: sorted");
  const std::int64_t gone = average_duplicates(file.samples);
  require_finite(file.samples, source);
  if (gone > 0)
    file.notes.push_back(base::format_count(gone) +
                         " points share their x with another point: averaged");
  if (file.samples.size() < 4)
    throw base::DataError(source + ": " + std::to_string(file.samples.size()) +
                              " points of different x, at least four are needed",
                          "expected one line per point: x,y or x,y,weight");
  return file;
}

PointsFile read_points(const std::filesystem::path& path) {
  return parse_points(base::read_file(path), path.string());
}

}  // namespace asap::region
