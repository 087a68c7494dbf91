#include "compile/activations.h"

#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "io/safetensors.h"
#include "support/temporary_folder.h"

namespace asap::test {
namespace {

/// What reading activations says after `damage`, or "nothing".
std::string activation_complaint(const std::function<void(io::TensorFile&)>& damage) {
  const TemporaryFolder folder;
  io::TensorFile file;
  for (const char* layer : {"layers.0.", "layers.1."}) {
    file.put(std::string(layer) + "queries", tensor::Tensor<float>({3, 6, 8}));
    file.put(std::string(layer) + "keys", tensor::Tensor<float>({3, 5, 8}));
    file.put(std::string(layer) + "values", tensor::Tensor<float>({3, 5, 4}));
  }
  damage(file);
  io::write_safetensors(folder.path() / "qk.safetensors", file);
  try {
    const compile::Activations read = compile::read_activations(
        folder.path() / "qk.safetensors", {.heads = 2, .iterations = 5, .epsilon = 0.5});
    CHECK(read.examples == 3);
    CHECK(read.layers.size() == 2);
    CHECK(read.batch(1).head_width() == 4);
    CHECK(read.layers[0].score_scales == std::vector<double>{1.0, 1.0});  // 1 / (√4 ½)
  } catch (const base::DataError& error) {
    const std::string text = error.what();
    return text.substr(text.find("qk.safetensors") + 16);
  }
  return "nothing";
}

TEST_CASE("Activations from elsewhere are checked tensor by tensor") {
  CHECK(activation_complaint([](io::TensorFile&) {}) == "nothing");
  CHECK(activation_complaint([](io::TensorFile& file) {
          tensor::Tensor<std::int32_t> live({3});
          live[0] = live[1] = live[2] = 5;
          file.put("live_queries", live);
        }) == "nothing");
  CHECK(activation_complaint([](io::TensorFile& file) {
          tensor::Tensor<std::int32_t> live({3});
          live[1] = 7;
          file.put("live_queries", live);
        }) == "live_queries: 7 is not between 0 and 6");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.0.queries", tensor::Tensor<float>({3, 8}));
        }) == "layers.0.queries: expected [examples, tokens, heads * width], got [3, 8]");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.1.keys", tensor::Tensor<float>({3, 4, 8}));
        }) == "layers.1.keys: expected 3 examples of 5 tokens, got [3, 4, 8]");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.0.keys", tensor::Tensor<float>({3, 5, 10}));
        }) == "layers.0.keys: width 10 differs from the queries' 8");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.0.keys", tensor::Tensor<float>({3, 5, 9}));
        }) == "layers.0.keys: last dimension 9 is not a multiple of 2 heads");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.1.keys", tensor::Tensor<std::int32_t>({3, 5, 8}));
        }) == "layers.1.keys: expected float32, got int32");
  CHECK(activation_complaint([](io::TensorFile& file) {
          tensor::Tensor<float> queries({3, 6, 8});
          queries[0] = INFINITY;
          file.put("layers.0.queries", queries);
        }) == "layers.0.queries: holds a value that is not finite");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.tensors.erase("layers.0.keys");
        }).find("layers.0.keys") != std::string::npos);
}

}  // namespace
}  // namespace asap::test
