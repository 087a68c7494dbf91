#include <doctest/doctest.h>

#include "golden/golden_file.h"
#include "golden/golden_model.h"

using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

// Two float64 implementations that add in different orders through a few layers.
constexpr double kTolerance = 1e-11;

}  // namespace

TEST_CASE("Vision Transformers and convolutions have PyTorch's logits, loss and gradients") {
  for (const char* name : {"vit_softmax", "vit_sinkhorn", "vit_learned_epsilon", "convolutional"}) {
    CAPTURE(name);
    const TensorFile file = read_golden(std::string(name) + ".safetensors");
    GoldenModel golden_model(file);
    const double loss = golden_model.compute();
    CHECK(std::abs(loss - golden(file, "loss")[0]) < kTolerance);
    CHECK(relative_difference(golden_model.logits.value().flat(), golden(file, "logits").flat()) <
          kTolerance);
    for (const auto& entry : golden_model.model.parameters().entries()) {
      CAPTURE(entry.name);
      const Tensor<double> expected = golden(file, "gradient." + entry.name);
      CHECK(relative_difference(
                golden_model.gradient.flat().subspan(static_cast<std::size_t>(entry.offset),
                                                     static_cast<std::size_t>(entry.shape.size())),
                expected.flat()) < kTolerance);
    }
  }
}
