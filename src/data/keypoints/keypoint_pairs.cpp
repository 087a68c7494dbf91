#include "data/keypoints/keypoint_pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/files.h"
#include "data/keypoints/descriptors.h"
#include "io/npz.h"

namespace asap::data {
namespace {

using io::ElementType;
using io::StoredTensor;

constexpr float kOutsideTolerance = 1;  // pixels: detectors refine positions beyond the border

/// Reads and checks the arrays of one file; every message begins with its name.
class PairReader {
 public:
  explicit PairReader(const io::TensorFile& file) : file_(file) {}

  [[noreturn]] void fail(const std::string& what, const std::string& hint = "") const {
    throw base::DataError(file_.source + ": " + what, hint);
  }

  bool has(const std::string& name) const { return file_.tensors.contains(name); }

  const StoredTensor& array(const std::string& name) const {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end())
      fail("there is no array '" + name + "'",
           "a file of pairs holds offset0, offset1, keypoints0, keypoints1, descriptors0, "
           "descriptors1, size and perhaps matches0, matches1, homography, image0 and image1");
    return found->second;
  }

  /// Whole numbers of either width; a vector.
  std::vector<std::int64_t> integers(const std::string& name) const {
    const StoredTensor& stored = array(name);
    if (stored.shape.rank() != 1) fail_shape(name, stored, "one dimension");
    return flat_integers(name, stored);
  }

  std::vector<std::int64_t> flat_integers(const std::string& name,
                                          const StoredTensor& stored) const {
    std::vector<std::int64_t> values;
    if (stored.type == ElementType::int64) {
      const tensor::Tensor<std::int64_t> read = stored.to<std::int64_t>();
      values.assign(read.flat().begin(), read.flat().end());
    } else if (stored.type == ElementType::int32) {
      const tensor::Tensor<std::int32_t> read = stored.to<std::int32_t>();
      values.assign(read.flat().begin(), read.flat().end());
    } else {
      fail("array '" + name + "' holds " + std::string(io::element_name(stored.type)) +
               ", expected whole numbers",
           "save " + name + ".astype('int64')");
    }
    return values;
  }

  [[noreturn]] void fail_shape(const std::string& name, const StoredTensor& stored,
                               const std::string& expected) const {
    fail("array '" + name + "' has shape " + stored.shape.text() + ", expected " + expected);
  }

  /// Floats of an array; whole numbers of 32 bits are taken as well.
  tensor::Tensor<float> floats(const std::string& name, const StoredTensor& stored) const {
    if (stored.type == ElementType::float32 || stored.type == ElementType::float64)
      return stored.to<float>();
    const std::vector<std::int64_t> values = flat_integers(name, stored);
    tensor::Tensor<float> out(stored.shape);
    for (std::int64_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<float>(values[static_cast<std::size_t>(i)]);
    return out;
  }

 private:
  const io::TensorFile& file_;
};

/// "pair 3, keypoint 17 of image 1", all numbers from 0 as in the arrays.
std::string place(std::int64_t pair, std::int64_t keypoint, int image) {
  return "pair " + std::to_string(pair) + ", keypoint " + std::to_string(keypoint) + " of image " +
         std::to_string(image);
}

std::vector<std::int64_t> read_offsets(const PairReader& reader, int image, std::int64_t rows) {
  const std::string name = "offset" + std::to_string(image);
  const std::string keypoints = "keypoints" + std::to_string(image);
  std::vector<std::int64_t> offsets = reader.integers(name);
  if (offsets.size() < 2 || offsets.front() != 0)
    reader.fail("array '" + name + "' must begin with 0 and hold one entry more than pairs");
  for (std::size_t i = 1; i < offsets.size(); ++i)
    if (offsets[i] < offsets[i - 1])
      reader.fail("array '" + name + "' falls from " + std::to_string(offsets[i - 1]) + " to " +
                  std::to_string(offsets[i]) + " at pair " + std::to_string(i - 1));
  if (offsets.back() != rows)
    reader.fail("array '" + name + "' ends with " + std::to_string(offsets.back()) + ", but '" +
                keypoints + "' has " + std::to_string(rows) + " rows");
  return offsets;
}

/// [*, kKeypointNumbers], with defaults for what the file leaves out.
tensor::Tensor<float> read_keypoints(const PairReader& reader, int image) {
  const std::string name = "keypoints" + std::to_string(image);
  const StoredTensor& stored = reader.array(name);
  if (stored.shape.rank() != 2 || stored.shape[1] < 2 || stored.shape[1] > kKeypointNumbers)
    reader.fail_shape(name, stored, "[keypoints, 2 to 5]: x, y, size, angle, response");
  const tensor::Tensor<float> values = reader.floats(name, stored);
  tensor::Tensor<float> out({stored.shape[0], kKeypointNumbers});
  for (std::int64_t i = 0; i < stored.shape[0]; ++i) {
    const tensor::VectorView<float> row = out.rows().row(i);
    row[2] = KeypointPairs::kDefaultSize;
    std::ranges::copy(values.rows().row(i), row.begin());
  }
  return out;
}

StoredTensor read_descriptors(const PairReader& reader, int image, std::int64_t rows) {
  const std::string name = "descriptors" + std::to_string(image);
  const StoredTensor& stored = reader.array(name);
  if (stored.shape.rank() != 2 || stored.shape[0] != rows || stored.shape[1] < 1)
    reader.fail_shape(
        name, stored,
        "[" + std::to_string(rows) + ", W], one row per row of keypoints" + std::to_string(image));
  if (stored.type == ElementType::uint8 || stored.type == ElementType::float32) return stored;
  return StoredTensor::from(reader.floats(name, stored));
}

/// [P, 2, 2] as floats.
std::vector<float> read_sizes(const PairReader& reader, std::int64_t pairs) {
  const StoredTensor& stored = reader.array("size");
  if (!(stored.shape == tensor::Shape{pairs, 2, 2}))
    reader.fail_shape("size", stored,
                      "[" + std::to_string(pairs) + ", 2, 2]: width and height of both images");
  const tensor::Tensor<float> values = reader.floats("size", stored);
  for (std::int64_t i = 0; i < values.size(); ++i)
    if (!(values[i] > 0 && std::isfinite(values[i])))
      reader.fail("array 'size': an image of pair " + std::to_string(i / 4) +
                  " has a width or height that is not positive");
  return {values.flat().begin(), values.flat().end()};
}

void check_keypoint(const PairReader& reader, std::span<const float> keypoint, const float* size,
                    const std::string& where) {
  for (const float value : keypoint)
    if (!std::isfinite(value)) reader.fail(where + " has a number that is not finite");
  const float x = keypoint[0], y = keypoint[1];
  if (x < -kOutsideTolerance || y < -kOutsideTolerance || x > size[0] + kOutsideTolerance ||
      y > size[1] + kOutsideTolerance)
    reader.fail(where + " lies at (" + std::to_string(x) + ", " + std::to_string(y) +
                    "), outside its image of " + std::to_string(static_cast<int>(size[0])) + " x " +
                    std::to_string(static_cast<int>(size[1])) + " pixels",
                "x runs along the width; array 'size' holds width, then height");
  if (keypoint[2] <= 0)
    reader.fail(where + " has size " + std::to_string(keypoint[2]) + ", expected a number above 0",
                "leave out the columns that the detector does not give");
}

void check_descriptors(const PairReader& reader, const StoredTensor& stored,
                       config::DescriptorKind kind, int image) {
  const std::string name = "descriptors" + std::to_string(image);
  if (stored.type == ElementType::uint8) return;
  if (kind == config::DescriptorKind::bits)
    reader.fail("array '" + name + "' holds floats, but `descriptors` says bits",
                "bits are stored in bytes (uint8); for other descriptors choose vector");
  const tensor::Tensor<float> values = stored.to<float>();
  for (std::int64_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      reader.fail("array '" + name + "', row " + std::to_string(i / stored.shape[1]) +
                  " has a number that is not finite");
    if (kind == config::DescriptorKind::histogram && values[i] < 0)
      reader.fail("array '" + name + "', row " + std::to_string(i / stored.shape[1]) +
                      " has a negative number, which a histogram has not",
                  "choose `descriptors` vector");
  }
}

}  // namespace

KeypointPairs KeypointPairs::parse(io::TensorFile file, config::DescriptorKind kind) {
  const PairReader reader(file);
  KeypointPairs pairs;
  pairs.source_ = file.source;
  for (const int e : {0, 1}) {
    pairs.keypoints_[e] = read_keypoints(reader, e);
    const std::int64_t rows = pairs.keypoints_[e].shape()[0];
    pairs.offsets_[e] = read_offsets(reader, e, rows);
    pairs.descriptors_[e] = read_descriptors(reader, e, rows);
  }
  if (pairs.offsets_[0].size() != pairs.offsets_[1].size())
    reader.fail("offset0 is for " + std::to_string(pairs.offsets_[0].size() - 1) +
                " pairs, offset1 for " + std::to_string(pairs.offsets_[1].size() - 1));
  const StoredTensor &first = pairs.descriptors_[0], &second = pairs.descriptors_[1];
  if (first.shape[1] != second.shape[1] || first.type != second.type)
    reader.fail("descriptors0 has " + std::to_string(first.shape[1]) + " numbers (" +
                std::string(io::element_name(first.type)) + ") a row, descriptors1 " +
                std::to_string(second.shape[1]) + " (" +
                std::string(io::element_name(second.type)) + ")");
  pairs.kind_ = resolve_descriptors(kind, first.shape[0] > 0 ? first : second);
  pairs.decoded_width_ = asap::data::decoded_width(pairs.kind_, first.shape[1]);
  for (const int e : {0, 1}) check_descriptors(reader, pairs.descriptors_[e], pairs.kind_, e);
  pairs.sizes_ = read_sizes(reader, pairs.size());
  for (const int e : {0, 1})
    for (std::int64_t p = 0; p < pairs.size(); ++p)
      for (std::int64_t i = 0; i < pairs.keypoints(p, e); ++i)
        check_keypoint(reader, pairs.keypoints_[e].rows().row(pairs.offsets_[e][p] + i),
                       &pairs.sizes_[p * 4 + e * 2], place(p, i, e));
  pairs.read_matches(reader);
  pairs.read_homographies(reader);
  pairs.read_photographs(reader);
  return pairs;
}

KeypointPairs KeypointPairs::read(const std::filesystem::path& path, config::DescriptorKind kind) {
  const std::string bytes = base::read_file(path);
  static const std::vector<std::string> kNames{
      "offset0", "offset1",  "keypoints0", "keypoints1", "descriptors0", "descriptors1",
      "size",    "matches0", "matches1",   "homography", "image0",       "image1"};
  KeypointPairs pairs = parse(io::is_npz(bytes) ? io::parse_npz(bytes, path.string(), kNames)
                                                : io::parse_safetensors(bytes, path.string()),
                              kind);
  pairs.fingerprint_ = base::content_fingerprint(bytes);
  return pairs;
}

template <class Reader>
void KeypointPairs::read_matches(const Reader& reader) {
  has_matches_ = reader.has("matches0") || reader.has("matches1");
  if (!has_matches_) return;
  for (const int e : {0, 1}) {
    const std::string name = "matches" + std::to_string(e);
    const std::vector<std::int64_t> values = reader.integers(name);
    if (std::ssize(values) != keypoints_[e].shape()[0])
      reader.fail("array '" + name + "' has " + std::to_string(values.size()) +
                  " entries, expected one per row of keypoints" + std::to_string(e) + ", " +
                  std::to_string(keypoints_[e].shape()[0]));
    for (std::int64_t p = 0; p < size(); ++p)
      for (std::int64_t i = offsets_[e][p]; i < offsets_[e][p + 1]; ++i) {
        const std::int64_t value = values[static_cast<std::size_t>(i)];
        if (value < kAmbiguous || value >= keypoints(p, 1 - e))
          reader.fail("matches" + std::to_string(e) + ": " + place(p, i - offsets_[e][p], e) +
                      " has partner " + std::to_string(value) + ", expected -2, -1 or less than " +
                      std::to_string(keypoints(p, 1 - e)));
        matches_[e].push_back(static_cast<std::int32_t>(value));
      }
  }
  for (const int e : {0, 1})
    for (std::int64_t p = 0; p < size(); ++p)
      for (std::int64_t i = 0; i < keypoints(p, e); ++i) {
        const std::int32_t partner = matches_[e][offsets_[e][p] + i];
        if (partner < 0) continue;
        const std::int32_t back = matches_[1 - e][offsets_[1 - e][p] + partner];
        if (back != i)
          reader.fail(place(p, i, e) + " is assigned to keypoint " + std::to_string(partner) +
                          " of the other image, which matches" + std::to_string(1 - e) +
                          " assigns to " + std::to_string(back),
                      "a keypoint has one partner at most, and matches0 and matches1 must agree; "
                      "mark ambiguous ones with -2");
      }
}

template <class Reader>
void KeypointPairs::read_homographies(const Reader& reader) {
  if (!reader.has("homography")) return;
  const StoredTensor& stored = reader.array("homography");
  if (!(stored.shape == tensor::Shape{size(), 3, 3}))
    reader.fail_shape("homography", stored, "[" + std::to_string(size()) + ", 3, 3]");
  if (stored.type != ElementType::float64 && stored.type != ElementType::float32)
    reader.fail("array 'homography' holds " + std::string(io::element_name(stored.type)) +
                ", expected float64");
  const tensor::Tensor<double> values = stored.to<double>();
  homographies_.assign(values.flat().begin(), values.flat().end());
}

template <class Reader>
void KeypointPairs::read_photographs(const Reader& reader) {
  if (!reader.has("image0") && !reader.has("image1")) return;
  for (const int e : {0, 1}) {
    const std::string name = "image" + std::to_string(e);
    const StoredTensor& stored = reader.array(name);
    const auto rank = stored.shape.rank();
    if (rank != 3 || stored.shape[0] > size() || stored.shape[1] < 1 || stored.shape[2] < 1)
      reader.fail_shape(name, stored,
                        "[K, height, width] with K at most " + std::to_string(size()) +
                            ": the grey images of the first K pairs");
    if (stored.type != ElementType::uint8)
      reader.fail("array '" + name + "' holds " + std::string(io::element_name(stored.type)) +
                      ", expected grey values in bytes",
                  "save " + name + ".astype('uint8')");
    photographs_[e] = stored;
  }
}

std::optional<Photograph> KeypointPairs::photograph(std::int64_t pair, int image) const {
  const std::optional<StoredTensor>& stored = photographs_[image];
  if (!stored || pair >= stored->shape[0]) return std::nullopt;
  const std::int64_t height = stored->shape[1], width = stored->shape[2];
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(stored->bytes.data());
  return Photograph{static_cast<int>(width),
                    static_cast<int>(height),
                    {pixels + pair * height * width, static_cast<std::size_t>(height * width)}};
}

KeypointView KeypointPairs::view(std::int64_t pair, int image) const {
  const std::int64_t begin = offsets_[image][pair], count = keypoints(pair, image);
  KeypointView view;
  view.keypoints = {keypoints_[image].data() + begin * kKeypointNumbers, count, kKeypointNumbers};
  view.width = sizes_[pair * 4 + image * 2];
  view.height = sizes_[pair * 4 + image * 2 + 1];
  if (has_matches_)
    view.matches = {matches_[image].data() + begin, static_cast<std::size_t>(count)};
  return view;
}

std::int64_t KeypointPairs::match_count() const {
  std::int64_t count = 0;
  for (std::int64_t p = 0; p < size(); ++p)
    for (const std::int32_t match : view(p, 0).matches) count += match >= 0 ? 1 : 0;
  return count;
}

double KeypointPairs::mean_response() const {
  double sum = 0;
  const std::int64_t rows = offsets_[0].back();
  for (std::int64_t i = 0; i < rows; ++i) sum += keypoints_[0].rows()(i, 4);
  return rows == 0 ? 0 : sum / static_cast<double>(rows);
}

std::optional<std::array<double, 9>> KeypointPairs::homography(std::int64_t pair) const {
  if (homographies_.empty()) return std::nullopt;
  std::array<double, 9> matrix;
  std::copy_n(homographies_.begin() + pair * 9, 9, matrix.begin());
  return matrix;
}

void KeypointPairs::decode(std::int64_t pair, int image, std::span<const std::int32_t> rows,
                           tensor::MatrixView<float> out) const {
  const StoredTensor& stored = descriptors_[image];
  const std::int64_t width = stored.shape[1];
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::int64_t at = (offsets_[image][pair] + rows[r]) * width;
    const tensor::VectorView<float> row = out.row(static_cast<std::int64_t>(r));
    const auto count = static_cast<std::size_t>(width);
    if (stored.type == ElementType::uint8)
      decode_descriptor<std::uint8_t>(
          kind_, {reinterpret_cast<const std::uint8_t*>(stored.bytes.data()) + at, count}, row);
    else
      decode_descriptor<float>(
          kind_, {reinterpret_cast<const float*>(stored.bytes.data()) + at, count}, row);
  }
}

void KeypointPairs::keep_first(std::int64_t count) {
  if (count == 0 || count >= size()) return;
  for (const int e : {0, 1}) offsets_[e].resize(static_cast<std::size_t>(count) + 1);
}

std::vector<std::int32_t> strongest_keypoints(const KeypointView& view, std::int64_t most) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(view.keypoints.rows));
  std::iota(rows.begin(), rows.end(), 0);
  if (most == 0 || most >= view.keypoints.rows) return rows;
  std::ranges::stable_sort(rows, [&](std::int32_t a, std::int32_t b) {
    return view.keypoints(a, 4) > view.keypoints(b, 4);
  });
  rows.resize(static_cast<std::size_t>(most));
  std::ranges::sort(rows);
  return rows;
}

}  // namespace asap::data
