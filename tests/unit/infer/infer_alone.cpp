// Linked against asap_infer and nothing else: builds a network from random weights and classifies.
// That this links proves that inference needs no autodiff.
#include <cmath>
#include <cstdio>

#include "base/random.h"
#include "infer/encoder.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::tensor;

namespace {

TensorFile random_weights(const ModelConfig& config) {
  TensorFile file;
  std::uint32_t which = 0;
  const auto add = [&](const std::string& name, const Shape& shape) {
    Tensor<float> tensor(shape);
    RandomStream random(1, RandomPurpose::test, which++);
    for (float& value : tensor.flat()) value = static_cast<float>(0.3 * random.normal());
    file.tensors[name] = StoredTensor::from(tensor);
  };
  const auto affine = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  const auto norm = [&](const std::string& name) {
    add(name + ".weight", {config.width});
    add(name + ".bias", {config.width});
  };
  affine("embedding.patch", config.width, config.patch_size());
  add("embedding.position", {config.tokens(), config.width});
  norm("layers.0.attention_norm");
  affine("layers.0.attention.qkv", 3 * config.width, config.width);
  affine("layers.0.attention.output", config.width, config.width);
  norm("layers.0.feed_forward_norm");
  affine("layers.0.feed_forward.up", config.hidden_width(), config.width);
  affine("layers.0.feed_forward.down", config.width, config.hidden_width());
  norm("final_norm");
  affine("head", config.classes, config.width);
  return file;
}

}  // namespace

int main() {
  ModelConfig config;
  config.image_height = config.image_width = 8;
  config.channels = 1;
  config.classes = 3;
  config.width = 16;
  config.layers = 1;
  const Encoder encoder(config, random_weights(config), "random");
  const Tensor<float> images({2, 64});
  Tensor<float> logits({2, 3});
  Arena arena;
  encoder.forward(ModelInput<float>::of_images(images.rows()), *encoder.teacher(), logits.rows(),
                  arena);
  for (const float value : logits.flat())
    if (!std::isfinite(value)) return 1;
  std::puts("inference links and runs without autodiff");
  return 0;
}
