#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/keypoints/keypoint_pairs.h"

namespace asap::data {

/// The arrays of a file of pairs (see KeypointPairs::read), each checked by itself. All functions
/// raise DataError; every message begins with the name of the file. e is 0 and 1, the two images of
/// a pair.
class PairArrays {
 public:
  /// Of a file that lives as long.
  explicit PairArrays(const io::TensorFile& file) : file_(file) {}

  [[noreturn]] void fail(const std::string& what, const std::string& hint = "") const;
  bool has(const std::string& name) const { return file_.tensors.contains(name); }

  /// Whole numbers of either width; a vector.
  std::vector<std::int64_t> integers(const std::string& name) const;
  /// [P + 1], rising from 0 to `rows`.
  std::vector<std::int64_t> offsets(int e, std::int64_t rows) const;
  /// [*, kKeypointNumbers], with defaults for what the file leaves out.
  tensor::Tensor<float> keypoints(int e) const;
  /// [rows, W], uint8 or float32.
  io::StoredTensor descriptors(int e, std::int64_t rows) const;
  /// [P, 2, 2]: width and height of both images.
  std::vector<float> sizes(std::int64_t pairs) const;
  /// [P, 3, 3]
  std::vector<double> homographies(std::int64_t pairs) const;
  /// uint8 [K, H, W], K at most `pairs`
  io::StoredTensor photographs(int e, std::int64_t pairs) const;

  /// size: width and height of the image. where: see place.
  void check_keypoint(std::span<const float> keypoint, const float* size,
                      const std::string& where) const;
  void check_descriptors(const io::StoredTensor& stored, config::DescriptorKind kind, int e) const;

 private:
  const io::StoredTensor& array(const std::string& name) const;
  std::vector<std::int64_t> flat_integers(const std::string& name,
                                          const io::StoredTensor& stored) const;
  [[noreturn]] void fail_shape(const std::string& name, const io::StoredTensor& stored,
                               const std::string& expected) const;
  [[noreturn]] void fail_type(const std::string& name, const io::StoredTensor& stored,
                              const std::string& expected, const std::string& hint) const;
  /// Floats of an array; whole numbers of 32 bits are taken as well.
  tensor::Tensor<float> floats(const std::string& name, const io::StoredTensor& stored) const;

  const io::TensorFile& file_;
};

/// "pair 3, keypoint 17 of image 1", all numbers from 0 as in the arrays.
std::string place(std::int64_t pair, std::int64_t keypoint, int e);

}  // namespace asap::data
