#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/matcher_config.h"
#include "io/safetensors.h"

namespace asap::data {

using config::kAmbiguous;
using config::kNoPartner;

/// Numbers of a keypoint: x and y in pixels, size in pixels, angle in degrees, response.
inline constexpr std::int64_t kKeypointNumbers = 5;

class PairArrays;

/// One image of a pair.
struct KeypointView {
  tensor::MatrixView<const float> keypoints;  ///< [N, kKeypointNumbers]
  float width = 0, height = 0;                ///< of the image, in pixels
  std::span<const std::int32_t> matches;      ///< [N]; empty if the file has none
};

/// A grey image that keypoints were found in.
struct Photograph {
  int width = 0, height = 0;             ///< may differ from those of its view by a scale
  std::span<const std::uint8_t> pixels;  ///< [height, width]
};

/// Pairs of sets of keypoints with descriptors, in memory.
class KeypointPairs {
 public:
  /// Reads a file of arrays, npz or safetensors; e is 0 and 1, the two images of a pair:
  ///   offset<e>       [P + 1]     first keypoint of each pair; the last entry is their number
  ///   keypoints<e>    [*, 2 to 5] x, y, and perhaps size, angle in degrees and response
  ///   descriptors<e>  [*, W]      bytes or floats, see descriptors.h
  ///   size            [P, 2, 2]   width and height of both images
  ///   matches<e>      [*]         optional: index in the other image, -1 no partner, -2 ambiguous
  ///   homography      [P, 3, 3]   optional: maps positions of image 0 to image 1
  ///   image<e>        [K, H, W]   optional: bytes, the grey images of the first K pairs, for
  ///   pictures
  /// Other arrays are not read. Missing numbers of a keypoint are a size of kDefaultSize, angle 0
  /// and response 0.
  ///
  /// DataError names the file, the array, the pair and the keypoint when something is missing, has
  /// another shape, is not finite, lies outside its image, or when matches0 and matches1 disagree,
  /// as they do when a point is assigned twice.
  static KeypointPairs read(const std::filesystem::path& path,
                            config::DescriptorKind kind = config::DescriptorKind::automatic);
  static KeypointPairs parse(io::TensorFile file, config::DescriptorKind kind);

  /// A size that the keypoint encoding maps to zero: exp(1.5).
  static constexpr float kDefaultSize = 4.4816891F;

  std::int64_t size() const { return std::ssize(offsets_[0]) - 1; }
  KeypointView view(std::int64_t pair, int image) const;
  std::int64_t keypoints(std::int64_t pair, int image) const {
    return offsets_[image][pair + 1] - offsets_[image][pair];
  }
  bool has_matches() const { return has_matches_; }
  /// Partners of keypoints of image 0, over all pairs.
  std::int64_t match_count() const;
  /// Mean response of all keypoints of image 0.
  double mean_response() const;
  /// Maps homogeneous positions of image 0 to image 1, row-major; nothing if the file has none.
  std::optional<std::array<double, 9>> homography(std::int64_t pair) const;

  /// Nothing if the file does not have that of this pair.
  std::optional<Photograph> photograph(std::int64_t pair, int image) const;

  config::DescriptorKind descriptor_kind() const { return kind_; }
  std::int64_t descriptor_width() const { return decoded_width_; }
  /// Decodes the descriptors of the keypoints `rows` of an image. out: [rows, descriptor_width()].
  void decode(std::int64_t pair, int image, std::span<const std::int32_t> rows,
              tensor::MatrixView<float> out) const;

  /// Keeps only the first `count` pairs; 0: all.
  void keep_first(std::int64_t count);

  const std::string& source() const { return source_; }
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  void read_matches(const PairArrays& arrays);

  std::string source_, fingerprint_;
  config::DescriptorKind kind_ = config::DescriptorKind::histogram;
  std::int64_t decoded_width_ = 0;
  bool has_matches_ = false;
  std::array<std::vector<std::int64_t>, 2> offsets_;
  std::array<tensor::Tensor<float>, 2> keypoints_;
  std::array<io::StoredTensor, 2> descriptors_;  // uint8 or float32, of one type
  std::array<std::vector<std::int32_t>, 2> matches_;
  std::vector<float> sizes_;                                    // [P, 2, 2]
  std::vector<double> homographies_;                            // [P, 3, 3] or empty
  std::array<std::optional<io::StoredTensor>, 2> photographs_;  // uint8 [K, H, W]
};

/// All keypoints of a view, or the `most` of largest response in the order of the file (the first
/// of equal ones); 0: all.
std::vector<std::int32_t> strongest_keypoints(const KeypointView& view, std::int64_t most);

}  // namespace asap::data
