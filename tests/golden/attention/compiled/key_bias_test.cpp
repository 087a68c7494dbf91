#include "attention/compiled/key_bias.h"

#include <doctest/doctest.h>

#include "attention/tiled/tiled_attention.h"
#include "golden/golden_file.h"

using namespace asap::attention;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// The golden head and its map in one precision.
template <class T>
struct GoldenHead {
  Tensor<T> q, k, v, key_slices, query_slices, landmarks, weights;
  T scale;
  int iterations;

  explicit GoldenHead(const TensorFile& file)
      : q(file.at("q").to<T>()),
        k(file.at("k").to<T>()),
        v(file.at("v").to<T>()),
        key_slices(file.at("key_slices").to<T>()),
        query_slices(file.at("query_slices").to<T>()),
        landmarks(file.at("landmarks").to<T>()),
        weights(file.at("weights").to<T>()),
        scale(static_cast<T>(std::stod(file.metadata.at("scale")))),
        iterations(std::stoi(file.metadata.at("iterations"))) {}

  AttentionHead<T> head() const { return {q.rows(), k.rows(), v.rows(), scale}; }
  DualMap<T> map() const {
    DualFeatures features = DualFeatures::none();
    features.gaussian = features.linear = features.tilt = true;
    features.landmarks = static_cast<int>(landmarks.shape()[0]);
    return {features,
            query_slices.rows(),
            key_slices.rows(),
            weights.flat(),
            {landmarks.rows(), iterations, true}};
  }
};

}  // namespace

TEST_CASE("PyTorch's fused softmax attention with the predicted key bias gives the same output") {
  const TensorFile file = read_golden("key_bias.safetensors");
  const GoldenHead<double> exact(file);
  Tensor<double> output(golden(file, "output").shape()), bias(golden(file, "bias").shape());
  Arena scratch;
  additive_key_bias<double>(exact.map(), exact.head(), bias.flat(), scratch);
  // A dual has one free constant: compare differences from the first.
  Tensor<double> expected = golden(file, "bias");
  const double shift = bias[0] - expected[0];
  for (double& value : expected.flat()) value += shift;
  CHECK(relative_difference(bias.flat(), expected.flat()) < 1e-12);
  key_bias_attention<double>(exact.map(), exact.head(), 0, output.rows(), scratch);
  CHECK(relative_difference(output.flat(), golden(file, "output").flat()) < 1e-12);

  // The tiled form that inference runs, in float: some 100 roundings of 2^-24.
  const GoldenHead<float> rounded(file);
  Tensor<float> tiled(output.shape());
  tiled_key_bias_attention(rounded.map(), rounded.head(), 0, {}, tiled.rows(), scratch);
  for (std::int64_t i = 0; i < tiled.size(); ++i) output[i] = tiled[i];
  CHECK(relative_difference(output.flat(), golden(file, "output").flat()) < 1e-5);
}
