#include "data/keypoints/keypoint_pairs.h"

#include <algorithm>
#include <numeric>

#include "base/counted.h"
#include "base/files.h"
#include "data/keypoints/descriptors.h"
#include "data/keypoints/pair_arrays.h"
#include "io/npz.h"

namespace asap::data {

using io::StoredTensor;

KeypointPairs KeypointPairs::parse(io::TensorFile file, config::DescriptorKind kind) {
  const PairArrays arrays(file);
  KeypointPairs pairs;
  pairs.source_ = file.source;
  for (const int e : {0, 1}) {
    pairs.keypoints_[e] = arrays.keypoints(e);
    const std::int64_t rows = pairs.keypoints_[e].shape()[0];
    pairs.offsets_[e] = arrays.offsets(e, rows);
    pairs.descriptors_[e] = arrays.descriptors(e, rows);
  }
  if (pairs.offsets_[0].size() != pairs.offsets_[1].size())
    arrays.fail("offset0 is for " + base::counted(pairs.offsets_[0].size() - 1, "pair") +
                ", offset1 for " + std::to_string(pairs.offsets_[1].size() - 1));
  const StoredTensor &first = pairs.descriptors_[0], &second = pairs.descriptors_[1];
  if (first.shape[1] != second.shape[1] || first.type != second.type)
    arrays.fail("descriptors0 has " + base::counted(first.shape[1], "number") + " (" +
                std::string(io::element_name(first.type)) + ") a row, descriptors1 " +
                std::to_string(second.shape[1]) + " (" +
                std::string(io::element_name(second.type)) + ")");
  pairs.kind_ = resolve_descriptors(kind, first.shape[0] > 0 ? first : second);
  pairs.decoded_width_ = asap::data::decoded_width(pairs.kind_, first.shape[1]);
  for (const int e : {0, 1}) arrays.check_descriptors(pairs.descriptors_[e], pairs.kind_, e);
  pairs.sizes_ = arrays.sizes(pairs.size());
  for (const int e : {0, 1})
    for (std::int64_t p = 0; p < pairs.size(); ++p)
      for (std::int64_t i = 0; i < pairs.keypoints(p, e); ++i)
        arrays.check_keypoint(pairs.keypoints_[e].rows().row(pairs.offsets_[e][p] + i),
                              &pairs.sizes_[p * 4 + e * 2], place(p, i, e));
  pairs.read_matches(arrays);
  if (arrays.has("homography")) pairs.homographies_ = arrays.homographies(pairs.size());
  if (arrays.has("image0") || arrays.has("image1"))
    for (const int e : {0, 1}) pairs.photographs_[e] = arrays.photographs(e, pairs.size());
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

void KeypointPairs::read_matches(const PairArrays& arrays) {
  has_matches_ = arrays.has("matches0") || arrays.has("matches1");
  if (!has_matches_) return;
  for (const int e : {0, 1}) {
    const std::string name = "matches" + std::to_string(e);
    const std::vector<std::int64_t> values = arrays.integers(name);
    if (std::ssize(values) != keypoints_[e].shape()[0])
      arrays.fail("array '" + name + "' has " + base::counted(values.size(), "entry", "entries") +
                  ", expected one per row of keypoints" + std::to_string(e) + ", " +
                  std::to_string(keypoints_[e].shape()[0]));
    for (std::int64_t p = 0; p < size(); ++p)
      for (std::int64_t i = offsets_[e][p]; i < offsets_[e][p + 1]; ++i) {
        const std::int64_t value = values[static_cast<std::size_t>(i)];
        if (value < kAmbiguous || value >= keypoints(p, 1 - e))
          arrays.fail("matches" + std::to_string(e) + ": " + place(p, i - offsets_[e][p], e) +
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
          arrays.fail(place(p, i, e) + " is assigned to keypoint " + std::to_string(partner) +
                          " of the other image, which matches" + std::to_string(1 - e) +
                          " assigns to " + std::to_string(back),
                      "a keypoint has one partner at most, and matches0 and matches1 must agree; "
                      "mark ambiguous ones with -2");
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
    if (stored.type == io::ElementType::uint8)
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
