#include "data/keypoints/pair_arrays.h"

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/error.h"

namespace asap::data {
namespace {

constexpr float kOutsideTolerance = 1;  // pixels: detectors refine positions beyond the border

}  // namespace

using io::ElementType;
using io::StoredTensor;

void PairArrays::fail(const std::string& what, const std::string& hint) const {
  throw base::DataError(file_.source + ": " + what, hint);
}

void PairArrays::fail_shape(const std::string& name, const StoredTensor& stored,
                            const std::string& expected) const {
  fail("array '" + name + "' has shape " + stored.shape.text() + ", expected " + expected);
}

void PairArrays::fail_type(const std::string& name, const StoredTensor& stored,
                           const std::string& expected, const std::string& hint) const {
  fail("array '" + name + "' holds " + std::string(io::element_name(stored.type)) + ", expected " +
           expected,
       hint);
}

const StoredTensor& PairArrays::array(const std::string& name) const {
  const auto found = file_.tensors.find(name);
  if (found == file_.tensors.end())
    fail("there is no array '" + name + "'",
         "a file of pairs holds offset0, offset1, keypoints0, keypoints1, descriptors0, "
         "descriptors1, size and perhaps matches0, matches1, homography, image0 and image1");
  return found->second;
}

std::vector<std::int64_t> PairArrays::integers(const std::string& name) const {
  const StoredTensor& stored = array(name);
  if (stored.shape.rank() != 1) fail_shape(name, stored, "one dimension");
  return flat_integers(name, stored);
}

std::vector<std::int64_t> PairArrays::flat_integers(const std::string& name,
                                                    const StoredTensor& stored) const {
  std::vector<std::int64_t> values;
  if (stored.type == ElementType::int64) {
    const tensor::Tensor<std::int64_t> read = stored.to<std::int64_t>();
    values.assign(read.flat().begin(), read.flat().end());
  } else if (stored.type == ElementType::int32) {
    const tensor::Tensor<std::int32_t> read = stored.to<std::int32_t>();
    values.assign(read.flat().begin(), read.flat().end());
  } else {
    fail_type(name, stored, "whole numbers", "save " + name + ".astype('int64')");
  }
  return values;
}

tensor::Tensor<float> PairArrays::floats(const std::string& name,
                                         const StoredTensor& stored) const {
  if (stored.type == ElementType::float32 || stored.type == ElementType::float64)
    return stored.to<float>();
  const std::vector<std::int64_t> values = flat_integers(name, stored);
  tensor::Tensor<float> out(stored.shape);
  for (std::int64_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(values[static_cast<std::size_t>(i)]);
  return out;
}

std::vector<std::int64_t> PairArrays::offsets(int e, std::int64_t rows) const {
  const std::string name = "offset" + std::to_string(e);
  std::vector<std::int64_t> values = integers(name);
  if (values.size() < 2 || values.front() != 0)
    fail("array '" + name + "' must begin with 0 and hold one entry more than pairs");
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i] < values[i - 1])
      fail("array '" + name + "' falls from " + std::to_string(values[i - 1]) + " to " +
           std::to_string(values[i]) + " at pair " + std::to_string(i - 1));
  if (values.back() != rows)
    fail("array '" + name + "' ends with " + std::to_string(values.back()) + ", but 'keypoints" +
         std::to_string(e) + "' has " + base::counted(rows, "row"));
  return values;
}

tensor::Tensor<float> PairArrays::keypoints(int e) const {
  const std::string name = "keypoints" + std::to_string(e);
  const StoredTensor& stored = array(name);
  if (stored.shape.rank() != 2 || stored.shape[1] < 2 || stored.shape[1] > kKeypointNumbers)
    fail_shape(name, stored, "[keypoints, 2 to 5]: x, y, size, angle, response");
  const tensor::Tensor<float> values = floats(name, stored);
  tensor::Tensor<float> out({stored.shape[0], kKeypointNumbers});
  for (std::int64_t i = 0; i < stored.shape[0]; ++i) {
    const tensor::VectorView<float> row = out.rows().row(i);
    row[2] = KeypointPairs::kDefaultSize;
    std::ranges::copy(values.rows().row(i), row.begin());
  }
  return out;
}

StoredTensor PairArrays::descriptors(int e, std::int64_t rows) const {
  const std::string name = "descriptors" + std::to_string(e);
  const StoredTensor& stored = array(name);
  if (stored.shape.rank() != 2 || stored.shape[0] != rows || stored.shape[1] < 1)
    fail_shape(
        name, stored,
        "[" + std::to_string(rows) + ", W], one row per row of keypoints" + std::to_string(e));
  if (stored.type == ElementType::uint8 || stored.type == ElementType::float32) return stored;
  return StoredTensor::from(floats(name, stored));
}

std::vector<float> PairArrays::sizes(std::int64_t pairs) const {
  const StoredTensor& stored = array("size");
  if (!(stored.shape == tensor::Shape{pairs, 2, 2}))
    fail_shape("size", stored,
               "[" + std::to_string(pairs) + ", 2, 2]: width and height of both images");
  const tensor::Tensor<float> values = floats("size", stored);
  for (std::int64_t i = 0; i < values.size(); ++i)
    if (!(values[i] > 0 && std::isfinite(values[i])))
      fail("array 'size': an image of pair " + std::to_string(i / 4) +
           " has a width or height that is not positive");
  return {values.flat().begin(), values.flat().end()};
}

std::vector<double> PairArrays::homographies(std::int64_t pairs) const {
  const StoredTensor& stored = array("homography");
  if (!(stored.shape == tensor::Shape{pairs, 3, 3}))
    fail_shape("homography", stored, "[" + std::to_string(pairs) + ", 3, 3]");
  if (stored.type != ElementType::float64 && stored.type != ElementType::float32)
    fail_type("homography", stored, "float64", "");
  const tensor::Tensor<double> values = stored.to<double>();
  return {values.flat().begin(), values.flat().end()};
}

StoredTensor PairArrays::photographs(int e, std::int64_t pairs) const {
  const std::string name = "image" + std::to_string(e);
  const StoredTensor& stored = array(name);
  const auto rank = stored.shape.rank();
  if (rank != 3 || stored.shape[0] > pairs || stored.shape[1] < 1 || stored.shape[2] < 1)
    fail_shape(name, stored,
               "[K, height, width] with K at most " + std::to_string(pairs) +
                   ": the grey images of the first K pairs");
  if (stored.type != ElementType::uint8)
    fail_type(name, stored, "grey values in bytes", "save " + name + ".astype('uint8')");
  return stored;
}

void PairArrays::check_keypoint(std::span<const float> keypoint, const float* size,
                                const std::string& where) const {
  for (const float value : keypoint)
    if (!std::isfinite(value)) fail(where + " has a number that is not finite");
  const float x = keypoint[0], y = keypoint[1];
  if (x < -kOutsideTolerance || y < -kOutsideTolerance || x > size[0] + kOutsideTolerance ||
      y > size[1] + kOutsideTolerance)
    fail(where + " lies at (" + std::to_string(x) + ", " + std::to_string(y) +
             "), outside its image of " + std::to_string(static_cast<int>(size[0])) + " x " +
             std::to_string(static_cast<int>(size[1])) + " pixels",
         "x runs along the width; array 'size' holds width, then height");
  if (keypoint[2] <= 0)
    fail(where + " has size " + std::to_string(keypoint[2]) + ", expected a number above 0",
         "leave out the columns that the detector does not give");
}

void PairArrays::check_descriptors(const StoredTensor& stored, config::DescriptorKind kind,
                                   int e) const {
  const std::string name = "descriptors" + std::to_string(e);
  if (stored.type == ElementType::uint8) return;
  if (kind == config::DescriptorKind::bits)
    fail("array '" + name + "' holds floats, but `descriptors` says bits",
         "bits are stored in bytes (uint8); for other descriptors choose vector");
  const tensor::Tensor<float> values = stored.to<float>();
  for (std::int64_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      fail("array '" + name + "', row " + std::to_string(i / stored.shape[1]) +
           " has a number that is not finite");
    if (kind == config::DescriptorKind::histogram && values[i] < 0)
      fail("array '" + name + "', row " + std::to_string(i / stored.shape[1]) +
               " has a negative number, which a histogram has not",
           "choose `descriptors` vector");
  }
}

std::string place(std::int64_t pair, std::int64_t keypoint, int e) {
  return "pair " + std::to_string(pair) + ", keypoint " + std::to_string(keypoint) + " of image " +
         std::to_string(e);
}

}  // namespace asap::data
