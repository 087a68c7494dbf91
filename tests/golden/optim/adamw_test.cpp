#include "optim/adamw.h"

#include <doctest/doctest.h>

#include "golden/golden_file.h"
#include "golden/golden_model.h"

using namespace asap::autodiff;
using namespace asap::io;
using namespace asap::optim;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("ten clipped AdamW steps follow PyTorch's losses") {
  const TensorFile file = read_golden("vit_sinkhorn.safetensors");
  GoldenModel golden_model(file);
  ParameterStore<double>& parameters = golden_model.model.parameters();
  AdamW<double> optimizer(parameters,
                          {.weight_decay = std::stod(file.metadata.at("weight_decay"))});
  const double rate = std::stod(file.metadata.at("learning_rate"));
  const double clip = std::stod(file.metadata.at("clip_norm"));
  const Tensor<double> losses = golden(file, "training.losses");
  REQUIRE(losses.size() == 10);
  for (std::int64_t step = 0; step < losses.size(); ++step) {
    // Adam divides by square roots of small moments, which enlarges rounding from step to step.
    CHECK(std::abs(golden_model.compute() - losses[step]) < 1e-10);
    const double norm = gradient_norm<double>(parameters, golden_model.gradient.flat());
    const double factor = std::min(1.0, clip / (norm + 1e-6));  // PyTorch's clip_grad_norm_
    optimizer.step(parameters, golden_model.gradient.flat(), rate, factor);
  }
}
