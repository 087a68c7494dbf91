#include "compile/activations.h"

#include <algorithm>
#include <array>
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
        }) == "live_queries: 7 is not a whole number between 0 and 6");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.0.queries", tensor::Tensor<float>({3, 8}));
        }) ==
        "layers.0.queries: expected [examples, heads, tokens, width] or [examples, tokens, heads * "
        "width], got [3, 8]");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.1.keys", tensor::Tensor<float>({3, 4, 8}));
        }) == "layers.1.keys: expected 3 examples of 5 tokens, got [3, 4, 8]");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.0.keys", tensor::Tensor<float>({3, 5, 10}));
        }) == "layers.0.keys: width 5 of a head differs from the queries' 4");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.0.keys", tensor::Tensor<float>({3, 5, 9}));
        }) == "layers.0.keys: last dimension 9 is not a multiple of 2 heads");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.1.keys", tensor::Tensor<std::int32_t>({3, 5, 8}));
        }) == "layers.1.keys: is of int32, but layers.0.queries of float32");
  CHECK(activation_complaint([](io::TensorFile& file) {
          tensor::Tensor<float> queries({3, 6, 8});
          queries[0] = INFINITY;
          file.put("layers.0.queries", queries);
        }) == "layers.0.queries: holds inf at [0, 0, 0], expected finite numbers");
  CHECK(activation_complaint([](io::TensorFile& file) { file.tensors.erase("layers.0.keys"); }) ==
        "layers.0.keys: is missing, but there is layers.0.queries");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.tensors.erase("layers.0.queries");
          file.tensors.erase("layers.0.keys");
          file.tensors.erase("layers.0.values");
        }) == "layers.0.queries: is missing, but there is layers.1.queries");
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
  CHECK(
      activation_error(file, 0) ==
      "qk.safetensors: how many heads share the 12 columns of queries and keys is not stated (1, "
      "2, 3, 4, 6, 12 divide them) | give `heads` N, or save the file with the metadata "
      "{\"heads\": \"N\"} or an array heads; or save [examples, heads, tokens, width], of several "
      "examples: some are fitted, others measured");
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
  tensor::Tensor<std::int64_t> heads({1});
  heads[0] = 6;
  file.put("heads", heads);
  CHECK(compile::activations_from(file, "qk", {.heads = 0}).heads == 6);
  heads[0] = 0;
  file.put("heads", heads);
  CHECK(activation_error(file, 0).starts_with("qk.safetensors: heads: expected one whole number"));
}

/// Numbers that tell their place: 1000 b + 100 h + 10 n + d.
template <class T>
tensor::Tensor<T> placed(const tensor::Shape& shape, std::int64_t heads_side_by_side = 0) {
  tensor::Tensor<T> out(shape);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    std::array<std::int64_t, 4> at{};
    std::int64_t rest = i;
    for (int axis = shape.rank(); axis-- > 0; rest /= shape[axis])
      at[static_cast<std::size_t>(axis)] = rest % shape[axis];
    if (shape.rank() == 3) {  // [B, N, H * D]
      const std::int64_t width = shape[2] / heads_side_by_side;
      at = {at[0], at[2] / width, at[1], at[2] % width};
    }
    out[i] = static_cast<T>(1000 * at[0] + 100 * at[1] + 10 * at[2] + at[3]);
  }
  return out;
}

TEST_CASE("every layout and type of a file gives the same activations") {
  io::TensorFile columns;
  columns.put("layers.0.queries", placed<float>({3, 4, 6}, 2));
  columns.put("layers.0.keys", placed<float>({3, 5, 6}, 2));
  const compile::Activations expected = compile::activations_from(columns, "qk", {.heads = 2});

  io::TensorFile axes;
  axes.put("layer.0.q", placed<double>({3, 2, 4, 3}));
  axes.put("layer.0.k", placed<double>({3, 2, 5, 3}));
  io::TensorFile bare;
  bare.put("q", placed<float>({3, 2, 4, 3}));
  bare.put("k", placed<float>({3, 5, 6}, 2));
  io::TensorFile heads;
  for (const int h : {0, 1}) {
    const std::string prefix = "layer.0.head." + std::to_string(h) + ".";
    tensor::Tensor<float> q({3, 4, 3}), k({3, 5, 3});
    for (std::int64_t b = 0; b < 3; ++b)
      for (std::int64_t n = 0; n < 5; ++n)
        for (std::int64_t d = 0; d < 3; ++d) {
          const auto value = static_cast<float>(1000 * b + 100 * h + 10 * n + d);
          if (n < 4) q[(b * 4 + n) * 3 + d] = value;
          k[(b * 5 + n) * 3 + d] = value;
        }
    heads.put(prefix + "q", q);
    heads.put(prefix + "k", k);
  }
  for (const io::TensorFile* file : {&axes, &bare, &heads}) {
    const compile::Activations read = compile::activations_from(*file, "qk", {.heads = 0});
    CHECK(read.heads == 2);
    CHECK(std::ranges::equal(read.layers[0].queries.flat(), expected.layers[0].queries.flat()));
    CHECK(std::ranges::equal(read.layers[0].keys.flat(), expected.layers[0].keys.flat()));
  }
  CHECK(compile::activations_from(axes, "qk", {.heads = 0}).file_form ==
        "layer.0.q [3, 2, 4, 3], layer.0.k [3, 2, 5, 3], no values; float64; all tokens live");
}

TEST_CASE("live tokens of a mask move to the front, and padding may hold anything") {
  io::TensorFile file;
  file.put("q", placed<float>({2, 1, 3, 2}));
  tensor::Tensor<float> keys = placed<float>({2, 1, 3, 2});
  keys[2] = NAN;  // token 1 of example 0
  file.put("k", keys);
  file.source = "qk.npz";
  CHECK(activation_error(file, 0) ==
        "qk.npz: k: holds nan at [0, 0, 1, 0], expected finite numbers | where a token is padding, "
        "say so with mask or lengths");
  tensor::Tensor<std::uint8_t> mask({2, 3});
  mask[0] = mask[2] = mask[3] = mask[4] = mask[5] = 1;
  file.put("mask", mask);
  const compile::Activations read = compile::activations_from(file, "qk", {.heads = 0});
  CHECK(read.live_queries == std::vector<std::int32_t>{2, 3});
  CHECK(read.live_keys == read.live_queries);
  const tensor::Tensor<float>& rows = read.layers[0].keys;
  CHECK(std::vector<float>(rows.data(), rows.data() + 6) == std::vector<float>{0, 1, 20, 21, 0, 0});
  CHECK(read.file_form ==
        "q [2, 1, 3, 2], k [2, 1, 3, 2], no values; float32; mask: 5 of 6 tokens live");

  mask[3] = mask[4] = mask[5] = 0;
  file.put("mask", mask);
  CHECK(
      compile::activations_from(file, "qk", {.heads = 0})
          .file_form.ends_with("mask: 2 of 6 tokens live; 1 example without live tokens left out"));
  compile::CompileConfig config;
  config.calibration = config.held_out = 1;
  CHECK_THROWS_AS(
      compile::require_live_examples(compile::activations_from(file, "qk", {.heads = 0}), config),
      base::DataError);
}

TEST_CASE("files of activations that cannot be meant are refused with the place") {
  const auto complaint = [](const std::function<void(io::TensorFile&)>& damage) {
    io::TensorFile file;
    file.source = "f";
    file.put("layer.0.q", placed<float>({2, 2, 3, 4}));
    file.put("layer.0.k", placed<float>({2, 2, 3, 4}));
    damage(file);
    return activation_error(file, 0);
  };
  const auto starts = [&](const std::function<void(io::TensorFile&)>& damage) {
    const std::string text = complaint(damage);
    return text.substr(0, text.find(" | "));
  };
  using File = io::TensorFile;
  CHECK(complaint([](File&) {}).empty());
  CHECK(starts([](File& f) {
          f.put("layer.0.w", placed<float>({2, 2, 3, 4}));
        }).starts_with("f: unknown tensor 'layer.0.w' (the nearest known name is 'layer.0."));
  CHECK(starts([](File& f) {
          f.put("layer.1.qeury", placed<float>({2, 2, 3, 4}));
        }) == "f: unknown tensor 'layer.1.qeury' (the nearest known name is 'layer.1.query')");
  CHECK(complaint([](File& f) {
          f.put("key_padding_mask", placed<float>({2, 2, 3, 4}));
        }).find("save key_mask, true where there is one") != std::string::npos);
  CHECK(starts([](File& f) {
          f.put("layer.2.q", placed<float>({2, 2, 3, 4}));
        }) == "f: layer.1.q: is missing, but there is layer.2.q");
  CHECK(starts([](File& f) {
          f.put("layers.0.queries", placed<float>({2, 2, 3, 4}));
        }) == "f: 'layer.0.q' and 'layers.0.queries' are both the queries of layer 0");
  CHECK(starts([](File& f) {
          f.put("layer.0.head.1.q", placed<float>({2, 3, 4}, 1));
        }) == "f: 'layer.0.q' has all heads, and 'layer.0.head.1.q' one");
  CHECK(starts([](File& f) {
          f.put("q", placed<float>({2, 2, 3, 4}));
        }).find("both the queries of layer 0") != std::string::npos);
  CHECK(starts([](File& f) {
          f.put("layer.0.k", placed<double>({2, 2, 3, 4}));
        }) == "f: layer.0.k: is of float64, but layer.0.q of float32");
  CHECK(complaint([](File& f) {
          f.put("layer.0.k", placed<float>({2, 1, 3, 4}));
        }) ==
        "f: layer.0.k: 1 head, expected 2 | heads that share keys need a copy each: "
        "repeat_interleave(2, 1)");
  CHECK(starts([](File& f) {
          f.put("layer.0.k", placed<float>({2, 2, 3, 5}));
        }) == "f: layer.0.k: width 5 of a head differs from the queries' 4");
  CHECK(starts([](File& f) {
          f.put("mask", tensor::Tensor<std::uint8_t>({2, 3}));
        }) == "f: mask: no example has a live token");
  CHECK(starts([](File& f) {
          f.put("mask", tensor::Tensor<std::uint8_t>({2, 4}));
        }) == "f: mask: expected [2, 3], examples and tokens, got [2, 4]");
  CHECK(starts([](File& f) { f.put("lengths", tensor::Tensor<std::int64_t>({3})); }) ==
        "f: lengths: expected [2], a number for each example, got [3]");
  CHECK(starts([](File& f) {
          tensor::Tensor<float> mask({2, 3});
          mask[4] = -INFINITY;
          f.put("mask", mask);
        }) == "f: mask: holds -inf at [1, 1], expected 1 for a live token and 0 for another");
  CHECK(starts([](File& f) {
          tensor::Tensor<std::int64_t> lengths({2});
          lengths[0] = lengths[1] = 3;
          f.put("lengths", lengths);
          f.put("key_mask", tensor::Tensor<std::uint8_t>({2, 3}));
        }) == "f: lengths: says which keys are live, as key_mask does");
  CHECK(starts([](File& f) {
          tensor::Tensor<double> q = placed<double>({2, 2, 3, 4});
          q[47] = 1e300;
          f.put("layer.0.q", q);
          f.put("layer.0.k", placed<double>({2, 2, 3, 4}));
        }) == "f: layer.0.q: holds 1e+300 at [1, 1, 2, 3], which does not fit in float32");
  io::TensorFile file;
  file.source = "f";
  file.put("layer.0.head.0.q", placed<float>({2, 3, 4}, 1));
  file.put("layer.0.head.1.q", placed<float>({2, 3, 4}, 1));
  file.put("layer.0.head.0.k", placed<float>({2, 3, 4}, 1));
  CHECK(activation_error(file, 0).starts_with(
      "f: layer.0.head.1.k: is missing, but there is layer.0.head.1.q"));
  file.put("layer.0.head.1.k", placed<float>({2, 2, 4}, 1));
  CHECK(activation_error(file, 0).starts_with(
      "f: layer.0.head.1.k: expected [2, 3, 4] as layer.0.head.0.k, got [2, 2, 4]"));
  CHECK(activation_error(file, 3).starts_with(
      "f: layer.0.head.0.q: 2 heads, not 3, by its number of tensors"));
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
