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

/// A file of one layer, 3 examples of 6 tokens, 12 columns.
io::TensorFile plain_file() {
  io::TensorFile file;
  file.source = "qk.safetensors";
  file.put("layers.0.queries", tensor::Tensor<float>({3, 6, 12}));
  file.put("layers.0.keys", tensor::Tensor<float>({3, 5, 12}));
  return file;
}

/// Message and hint of reading it.
std::string activation_error(const io::TensorFile& file, int heads) {
  try {
    compile::activations_from(file, "qk", {.heads = heads});
  } catch (const base::Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "";
}

TEST_CASE("the number of heads is stated by the user or the file, and never guessed") {
  io::TensorFile file = plain_file();
  CHECK(activation_error(file, 0) ==
        "qk.safetensors: how many heads share the 12 columns of queries and keys is not stated (1, "
        "2, 3, 4, 6, 12 divide them) | give `heads` N, or save the file with the metadata "
        "{\"heads\": \"N\"}");
  CHECK(compile::activations_from(file, "qk", {.heads = 4}).heads == 4);
  file.metadata["heads"] = "3";
  const compile::Activations read = compile::activations_from(file, "qk", {.heads = 0});
  CHECK(read.heads == 3);
  CHECK(read.batch(0).head_width() == 4);
  CHECK(read.layers[0].score_scales.size() == 3);
  CHECK(compile::activations_from(file, "qk", {.heads = 3}).heads == 3);
  CHECK(activation_error(file, 4).starts_with("qk.safetensors: holds 3 heads by its metadata"));
  for (const char* damaged : {"", "three", "0", "-2", "1.5"}) {
    file.metadata["heads"] = damaged;
    CHECK(activation_error(file, 3).starts_with("qk.safetensors: metadata heads: expected a"));
  }
  file = plain_file();
  file.put("layers.0.queries", tensor::Tensor<float>({3, 2, 6, 6}));
  CHECK(activation_error(file, 2).find("q.transpose(1, 2).flatten(2)") != std::string::npos);
}

TEST_CASE("activations are described by their sizes") {
  io::TensorFile file = plain_file();
  CHECK(compile::describe(compile::activations_from(file, "qk", {.heads = 4})) ==
        "3 examples of 6 query tokens and 5 key tokens, 1 layer of 4 heads, width 3");
  file.put("layers.0.keys", tensor::Tensor<float>({3, 6, 12}));
  file.put("layers.1.queries", tensor::Tensor<float>({3, 6, 8}));
  file.put("layers.1.keys", tensor::Tensor<float>({3, 6, 8}));
  CHECK(compile::describe(compile::activations_from(file, "qk", {.heads = 1})) ==
        "3 examples of 6 tokens, 2 layers of 1 head, width 12, 8");
}

}  // namespace
}  // namespace asap::test
