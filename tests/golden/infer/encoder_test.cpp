#include "infer/encoder.h"

#include <doctest/doctest.h>

#include "golden/golden_file.h"
#include "golden/golden_model.h"

using namespace asap::config;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("inference without a tape gives PyTorch's logits in float32") {
  for (const char* name : {"vit_softmax", "vit_sinkhorn", "vit_learned_epsilon"}) {
    CAPTURE(name);
    const TensorFile file = read_golden(std::string(name) + ".safetensors");
    TensorFile weights;
    for (const auto& [tensor_name, tensor] : file.tensors)
      if (tensor_name.starts_with("parameter.")) weights.tensors[tensor_name.substr(10)] = tensor;
    const Encoder encoder(config_of(file), weights, "golden");
    const Tensor<float> images = file.at("images").to<float>();
    const Tensor<double> expected = golden(file, "logits");
    Tensor<float> logits(expected.shape());
    Arena arena;
    const std::int64_t examples = expected.shape()[0];
    encoder.forward(
        ModelInput<float>::of_images({images.data(), examples, images.size() / examples}),
        *encoder.teacher(), logits.rows(), arena);
    for (std::int64_t i = 0; i < logits.size(); ++i)  // float32 through two layers of width 8
      CHECK(std::abs(logits[i] - expected[i]) < 1e-5);
  }
}
