#include "data/points/point_files.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "base/counted.h"
#include "base/error.h"
#include "base/text.h"
#include "config/model_input.h"
#include "io/gzip.h"
#include "io/json.h"
#include "io/number_fields.h"
#include "io/text_lines.h"

namespace asap::data {
namespace {

constexpr std::size_t kHeaderBytes = 16;
constexpr std::int64_t kMostLabels = 1'000'000;

std::string unpack(std::string_view bytes, const std::string& source) {
  return io::is_gzip(bytes)
             ? io::decompress_gzip(bytes, std::numeric_limits<std::size_t>::max(), source)
             : std::string(bytes);
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

float coordinate(const char* bytes) {
  const auto low = static_cast<unsigned char>(bytes[0]);
  const auto high = static_cast<unsigned char>(bytes[1]);
  const auto value = static_cast<std::int16_t>(static_cast<std::uint16_t>(low | high << 8));
  return static_cast<float>(value) / 32767.0f;
}

/// Labels of any type that a file holds, as doubles, which hold the permitted ones exactly.
tensor::Tensor<double> label_values(const io::StoredTensor& labels) {
  const auto widened = [&](const auto& values) {
    tensor::Tensor<double> out(values.shape());
    for (std::int64_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(values[i]);
    return out;
  };
  switch (labels.type) {
    case io::ElementType::int32:
      return widened(labels.to<std::int32_t>());
    case io::ElementType::int64:
      return widened(labels.to<std::int64_t>());
    case io::ElementType::uint8:
      return widened(labels.to<std::uint8_t>());
    default:
      return labels.to<double>();
  }
}

/// Reads the lines of a delimited file of points.
class DelimitedPointsParser {
 public:
  /// width: coordinates of a point where labels are not needed, else 0.
  DelimitedPointsParser(std::string_view text, const std::string& source, int width = 0)
      : source_(source),
        width_(width),
        lines_(text),
        separator_(io::numbers_separator(text)),
        numbers_(separator_, source) {
    sets_.offsets = {0};
  }

  PointSets parse() {
    while (lines_.next()) {
      if (io::is_without_fields(lines_)) continue;
      const std::vector<std::string> fields = io::split_fields(lines_.line(), separator_, place());
      const bool first = columns_ == 0;
      if (first) count_columns(fields.size());
      if (fields.size() != columns_)
        fail("expected " + base::counted(columns_, "column") + " as before, found " +
             std::to_string(fields.size()));
      const std::size_t number = std::min<std::size_t>(1, before_);
      if (first && (columns_ < 2 || !base::parse_number<double>(fields[number])))
        check_header(fields);
      else
        add(fields);
    }
    if (sets_.labels.empty()) throw base::DataError(source_ + ": holds no points", kHint);
    sets_.offsets.push_back(points_);
    return std::move(sets_);
  }

 private:
  static constexpr const char* kHint =
      "lines are: set, label, coordinates, with one separator in the whole file";

  [[noreturn]] void fail(const std::string& what) const {
    throw base::DataError(place() + ": " + what, kHint);
  }
  std::string place() const { return source_ + ":" + std::to_string(lines_.number()); }

  void count_columns(std::size_t columns) {
    columns_ = columns;
    if (width_ == 0) return;
    const auto width = static_cast<std::size_t>(width_);
    if (columns < width || columns > width + 2)
      throw base::DataError(place() + ": found " + base::counted(columns, "column"),
                            "points of this network have " + base::counted(width, "coordinate") +
                                "; lines are: set, label, coordinates; or set, "
                                "coordinates; or coordinates");
    before_ = columns - width;
  }

  /// The names must not contradict the order of the columns.
  void check_header(const std::vector<std::string>& names) const {
    if (before_ < 2) {
      const bool all_names = std::ranges::none_of(names, [](const std::string& name) {
        return base::parse_number<double>(name).has_value();
      });
      if (!all_names) fail("the first line mixes names and numbers");
      return;
    }
    if (io::is_unnamed(names[0]) && names.size() > 1)
      fail("column 1 has no name; it may be an index, as pandas writes it");
    const auto coordinates = names.begin() + std::min<std::ptrdiff_t>(2, std::ssize(names));
    const bool is_header = std::none_of(coordinates, names.end(), [](const std::string& name) {
      return base::parse_number<double>(name).has_value();
    });
    if (!is_header && names[1] != "label")
      fail("label '" + io::excerpt(names[1]) + "' is not a whole number from 0 on");
    if (const std::string repeated = io::repeated_name(names); !repeated.empty())
      fail("two columns are called '" + io::excerpt(repeated) + "'");
    for (const std::size_t k : {0u, 1u}) {
      const char* name = k == 0 ? "set" : "label";
      const auto found = std::ranges::find(names, name);
      if (found != names.end() && found != names.begin() + static_cast<std::ptrdiff_t>(k))
        fail("column '" + std::string(name) + "' must be column " + std::to_string(k + 1));
    }
  }

  void add(const std::vector<std::string>& fields) {
    if (fields.size() < 3 && width_ == 0)
      fail("expected at least 3 columns, found " + std::to_string(fields.size()));
    begin_set(before_ == 0 ? "1" : fields[0],
              before_ == 2 ? read_label(fields[1]) : config::kNotScored);
    for (std::size_t k = before_; k < fields.size(); ++k) {
      const auto value = numbers_.read(fields[k], lines_.number());
      if (!value) fail("'" + io::excerpt(fields[k]) + "' is not a number");
      if (!std::isfinite(static_cast<float>(*value)))
        fail("coordinate " + fields[k] + " is not finite");
      sets_.points.push_back(static_cast<float>(*value));
    }
    ++points_;
  }

  std::int32_t read_label(const std::string& field) const {
    const auto label = base::parse_number<std::int32_t>(field);
    if (!label || *label < 0 || *label >= kMostLabels)
      fail("label '" + io::excerpt(field) + "' is not a whole number from 0 on");
    return *label;
  }

  void begin_set(std::string_view name, std::int32_t label) {
    if (!sets_.labels.empty() && name == name_) {
      if (label != sets_.labels.back())
        fail("set '" + io::excerpt(name) + "' has label " + std::to_string(label) +
             ", before it was " + std::to_string(sets_.labels.back()));
      return;
    }
    if (!names_.insert(std::string(name)).second)
      fail("set '" + io::excerpt(name) + "' comes again after other sets");
    if (!sets_.labels.empty()) sets_.offsets.push_back(points_);
    name_ = name;
    sets_.labels.push_back(label);
    if (width_ > 0) sets_.names.push_back(name_);
    sets_.width = static_cast<int>(columns_ - before_);
  }

  const std::string& source_;
  const int width_;
  std::size_t before_ = 2;  // columns before the coordinates
  io::TextLines lines_;
  const char separator_;
  io::NumberReader numbers_;
  PointSets sets_;
  std::string name_;
  std::unordered_set<std::string> names_;
  std::int64_t points_ = 0;
  std::size_t columns_ = 0;
};

}  // namespace

PointSets parse_modelnet(std::string_view packed, const std::string& source) {
  const std::string bytes = unpack(packed, source);
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("MN10"))
    throw base::DataError(source + ": does not begin with MN10 and three sizes",
                          "it is no file of ModelNet10 samples");
  const std::uint64_t sets = little_endian(bytes, 4), points = little_endian(bytes, 8);
  const std::uint64_t width = little_endian(bytes, 12);
  if (width != 3 || sets == 0 || points == 0)
    throw base::DataError(source + ": holds " + base::counted(sets, "set") + " of " +
                          base::counted(points, "point") + " of " +
                          base::counted(width, "coordinate") + ", expected some of 3");
  // No overflow: the sizes are below 2^32 and are compared with the bytes that are there one by
  // one.
  const std::uint64_t left = bytes.size() - kHeaderBytes;
  const std::uint64_t per_set = 1 + 6 * points;
  if (left % per_set != 0 || left / per_set != sets)
    throw base::DataError(source + ": " + base::counted(sets, "set") + " of " +
                              base::counted(points, "point needs", "points need") + " " +
                              std::to_string(per_set) + " bytes each, but " + std::to_string(left) +
                              " follow the header",
                          "the file is damaged or was cut off");
  PointSets out;
  out.width = 3;
  const char* at = bytes.data() + kHeaderBytes;
  for (std::uint64_t i = 0; i < sets; ++i) {
    out.labels.push_back(static_cast<unsigned char>(*at++));
    out.offsets.push_back(static_cast<std::int64_t>(i * points));
  }
  out.offsets.push_back(static_cast<std::int64_t>(sets * points));
  out.points.resize(static_cast<std::size_t>(sets * points * 3));
  for (float& value : out.points) {
    value = coordinate(at);
    at += 2;
  }
  return out;
}

PointSets parse_delimited_points(std::string_view bytes, const std::string& source) {
  const io::DecodedText decoded(bytes, source);
  return DelimitedPointsParser(decoded.text(), source).parse();
}

PointSets parse_unlabelled_points(std::string_view bytes, int width, const std::string& source) {
  const io::DecodedText decoded(bytes, source);
  return DelimitedPointsParser(decoded.text(), source, width).parse();
}

PointSets point_sets_from_arrays(const io::StoredTensor& points, const io::StoredTensor& labels,
                                 const std::string& source) {
  if (points.shape.rank() != 3 || labels.shape.rank() != 1 || points.shape[0] != labels.shape[0] ||
      points.shape.size() == 0)
    throw base::DataError(source + ": points of shape " + points.shape.text() +
                              " and labels of shape " + labels.shape.text(),
                          "expected [sets, points, coordinates] and [sets], not empty");
  if (points.type != io::ElementType::float32 && points.type != io::ElementType::float64)
    throw base::DataError(source + ": holds " + std::string(io::element_name(points.type)),
                          "coordinates must be float32 or float64");
  const tensor::Tensor<double> values = points.to<double>(), classes = label_values(labels);
  PointSets out;
  const std::int64_t count = points.shape[1];
  out.width = static_cast<int>(points.shape[2]);
  for (std::int64_t i = 0; i < classes.size(); ++i) {
    if (!(classes[i] >= 0 && classes[i] < kMostLabels) || classes[i] != std::floor(classes[i]))
      throw base::DataError(source + ": the label of set " + std::to_string(i) +
                            " is not a whole number from 0 on");
    out.labels.push_back(static_cast<std::int32_t>(classes[i]));
    out.offsets.push_back(i * count);
  }
  out.offsets.push_back(classes.size() * count);
  for (const double value : values.flat()) out.points.push_back(static_cast<float>(value));
  return out;
}

}  // namespace asap::data
