// A padded token is as if it were not there: in training, in inference, for every kind of model, of
// pooling and of attention.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "data/batch.h"
#include "infer/encoder.h"
#include "nn/transformer.h"
#include "support/small_sequences.h"

namespace asap::test {

// Results that differ only in the order of a few sums.
constexpr double kPaddedTolerance = 1e-6;

inline const std::vector<std::int64_t> kLengths = {3, 7, 1, 5, 12, 7, 2, 9};

/// Every kind of input with every pooling it may have, with positions and without, and networks
/// like BERT.
inline std::vector<config::ModelConfig> all_models() {
  std::vector<config::ModelConfig> configs;
  for (const config::ModelKind kind : {config::ModelKind::text, config::ModelKind::set})
    for (const config::Pooling pooling :
         {config::Pooling::mean, config::Pooling::class_token, config::Pooling::none})
      for (const config::AttentionKind attention :
           {config::AttentionKind::softmax, config::AttentionKind::sinkhorn,
            config::AttentionKind::sinkformer, config::AttentionKind::espformer,
            config::AttentionKind::lotformer, config::AttentionKind::differential}) {
        const data::Dataset data =
            small_sequences(kind, kLengths, pooling == config::Pooling::none);
        config::ModelConfig config = small_sequence_model(data);
        config.pooling = pooling;
        config.attention.kind = attention;
        config.point_frequencies = kind == config::ModelKind::set ? 2 : 0;
        configs.push_back(config);
      }
  configs.front().positions = config::Positions::none;
  for (const bool pooler : {false, true})
    for (const config::AttentionKind attention :
         {config::AttentionKind::softmax, config::AttentionKind::sinkhorn}) {
      config::ModelConfig config =
          small_sequence_model(small_sequences(config::ModelKind::text, kLengths));
      config.attention.kind = attention;
      make_bert(config, pooler);
      configs.push_back(config);
    }
  return configs;
}

/// Weights far from their first values, so that attention is far from uniform.
template <class T>
void enlarge_weights(nn::Transformer<T>& model) {
  for (const auto& entry : model.parameters().entries()) {
    const T factor = entry.name.ends_with("qkv.weight") ? T(4) : T(1);
    for (std::int64_t i = 0; i < entry.shape.size(); ++i)
      model.parameters().flat()[static_cast<std::size_t>(entry.offset + i)] *= factor;
  }
}

/// A batch in float64.
struct DoubleInput {
  explicit DoubleInput(const config::ModelInput<float>& input)
      : values({input.values.rows, std::max<std::int64_t>(input.values.cols, 1)}) {
    for (std::int64_t i = 0; i < input.values.rows; ++i)
      std::ranges::copy(input.values.row(i), values.rows().row(i).begin());
    view = {
        .examples = input.examples, .tokens = input.tokens, .ids = input.ids, .live = input.live};
    if (input.values.rows > 0) view.values = values.rows();
  }
  tensor::Tensor<double> values;
  config::ModelInput<double> view;
};

/// Logits [rows, classes] of one padded batch, on the tape.
inline tensor::Tensor<double> logits_on_tape(const nn::Transformer<double>& model,
                                             const data::Batch& batch) {
  autodiff::Tape<double> tape;
  tape.bind(model.parameters(), {});
  attention::AttentionEvidence evidence;
  nn::PassContext<double> pass{tape, evidence};
  const DoubleInput input(batch.input());
  const tensor::TensorView<const double> value = model.forward(pass, input.view).value();
  tensor::Tensor<double> out({value.rows().rows, value.rows().cols});
  std::ranges::copy(value.flat(), out.flat().begin());
  return out;
}

inline tensor::Tensor<double> logits_of(const infer::Encoder& encoder,
                                        const attention::AttentionOperator& attention,
                                        const data::Batch& batch) {
  tensor::Tensor<float> logits({encoder.logit_rows(batch.input()), encoder.config().classes});
  tensor::Arena arena;
  encoder.forward(batch.input(), attention, logits.rows(), arena);
  tensor::Tensor<double> out(logits.shape());
  std::ranges::copy(logits.flat(), out.flat().begin());
  return out;
}

inline std::vector<std::int64_t> all_examples(const data::Dataset& data) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < data.size(); ++i) all.push_back(i);
  return all;
}

/// Largest difference between the logits of live rows in one padded batch and example by example.
template <class Logits>
double padding_error(const data::Dataset& data, const Logits& logits) {
  data::Batch together, alone;
  together.fill(data, all_examples(data));
  REQUIRE_FALSE(together.input().live.empty());
  const tensor::Tensor<double> padded = logits(together);
  const std::int64_t rows = padded.shape()[0] / data.size();
  double error = 0;
  for (std::int64_t example = 0; example < data.size(); ++example) {
    alone.fill(data, std::vector{example});
    CHECK(alone.input().live.empty());
    const tensor::Tensor<double> single = logits(alone);
    for (std::int64_t i = 0; i < single.size(); ++i)
      error = std::max(error, std::abs(single[i] - padded.rows().row(example * rows).data()[i]));
  }
  return error;
}

inline std::string name_of(const config::ModelConfig& config) {
  return config::describe_model(config) + ", pooling " +
         std::to_string(static_cast<int>(config.pooling));
}

}  // namespace asap::test
