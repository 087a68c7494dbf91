// Gradients of whole networks on padded batches, parameter by parameter.
#include "nn/transformer.h"

#include <doctest/doctest.h>

#include "autodiff/row_ops.h"
#include "gradient/gradient_check.h"
#include "support/share.h"
#include "support/small_sequences.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::config;
using namespace asap::data;
using namespace asap::nn;
using namespace asap::tensor;
using namespace asap::test;
using namespace asap::test;

namespace {

/// Two padded examples of 4 and 2 tokens.
struct PaddedBatch {
  std::vector<std::int32_t> ids = {3, 1, 4, 1, 5, 9, 0, 0};
  Tensor<double> points = random_tensor({8, 2}, 5);
  std::vector<std::int32_t> live = {4, 2};
  std::vector<std::int32_t> labels = {1, 0};
  std::vector<std::int32_t> token_labels = {1, kNotScored, 0, 1, 0, 0, kNotScored, kNotScored};

  ModelInput<double> input(ModelKind kind) const {
    ModelInput<double> input{.examples = 2, .tokens = 4, .live = live};
    if (kind == ModelKind::text)
      input.ids = ids;
    else
      input.values = points.rows();
    return input;
  }
};

/// On a tape that keeps its memory from one call to the next.
double loss_of(Tape<double>& tape, const Transformer<double>& model, const PaddedBatch& batch,
               VectorView<double> gradient) {
  tape.clear();
  tape.bind(model.parameters(), gradient);
  AttentionEvidence evidence;
  PassContext<double> pass{tape, evidence, 0.2, DropoutKey{1, 2, 0}, 0.3};
  const ModelConfig& config = model.config();
  const Var<double> loss =
      cross_entropy<double>(model.forward(pass, batch.input(config.kind)),
                            config.labels_tokens() ? batch.token_labels : batch.labels, 0.1, 2.0);
  if (!gradient.empty()) tape.backward(loss);
  return loss.value().data[0];
}

/// As gradient_error, over all parameters of a network. The step is smaller than there: layer norm
/// of the few values that dropout leaves of a width of eight is strongly curved. Rounding is about
/// 1e-16 / 1e-5 = 1e-11.
double parameter_gradient_error(Transformer<double>& model, const PaddedBatch& batch,
                                double h = 1e-5) {
  const VectorView<double> parameters = model.parameters().flat();
  std::vector<double> gradient(parameters.size());
  Tape<double> tape;
  loss_of(tape, model, batch, gradient);
  double largest = 0, error = 0;
  std::int64_t index = 0;
  for (const auto& entry : model.parameters().entries())
    for (std::int64_t i = 0; i < entry.shape.size(); ++i) {
      if (!in_share(index++)) continue;
      double& parameter = parameters[static_cast<std::size_t>(entry.offset + i)];
      const double value = parameter;
      const auto slope = [&](double h) {
        parameter = value + h;
        const double above = loss_of(tape, model, batch, {});
        parameter = value - h;
        const double below = loss_of(tape, model, batch, {});
        parameter = value;
        return (above - below) / (2 * h);
      };
      const double expected = (4 * slope(h) - slope(2 * h)) / 3;
      error = std::max(error, std::abs(expected - gradient[entry.offset + i]));
      largest = std::max(largest, std::abs(expected));
    }
  return error / largest;
}

}  // namespace

TEST_CASE("gradients of text and set networks on padded batches agree with finite differences") {
  for (const ModelKind kind : {ModelKind::text, ModelKind::set})
    for (const Pooling pooling : {Pooling::mean, Pooling::class_token, Pooling::none})
      for (const AttentionKind attention : {AttentionKind::softmax, AttentionKind::sinkhorn}) {
        CAPTURE(static_cast<int>(kind));
        CAPTURE(static_cast<int>(pooling));
        CAPTURE(static_cast<int>(attention));
        const Dataset data = small_sequences(kind, {6}, pooling == Pooling::none);
        ModelConfig config = small_sequence_model(data);  // two positions more than are needed
        config.pooling = pooling;
        config.attention.kind = attention;
        config.attention.learn_epsilon = true;
        config.point_frequencies = kind == ModelKind::set ? 1 : 0;
        Transformer<double> model(config, 5);
        CHECK(parameter_gradient_error(model, PaddedBatch()) < kGradientTolerance);
      }
}

TEST_CASE("networks like BERT have the right gradient") {
  const Dataset data = small_sequences(ModelKind::text, {6}, false);
  for (const bool pooler : {false, true}) {
    CAPTURE(pooler);
    ModelConfig config = small_sequence_model(data);
    make_bert(config, pooler);
    Transformer<double> model(config, 5);
    CHECK(parameter_gradient_error(model, PaddedBatch()) < kGradientTolerance);
  }
}

TEST_CASE("learned activations have the right gradient in both phases, dense ReLU has it, too") {
  const Dataset data = small_sequences(ModelKind::text, {6}, false);
  ModelConfig config = small_sequence_model(data);
  for (const bool released : {false, true}) {
    config.feed_forward.kind = FeedForwardKind::region;
    Transformer<double> model(config, 5);
    model.release_regions(released);
    CAPTURE(released);
    // The lifted sum's neuron makes of a small step of a weight one over the next corner.
    CHECK(parameter_gradient_error(model, PaddedBatch(), released ? 1e-7 : 1e-5) <
          kGradientTolerance);
  }
  config.feed_forward.kind = FeedForwardKind::dense;
  config.feed_forward.activation = Activation::relu;
  Transformer<double> model(config, 5);
  CHECK(parameter_gradient_error(model, PaddedBatch()) < kGradientTolerance);
}
