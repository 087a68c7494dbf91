#include "pretrained/pretrained_weights.h"

#include <algorithm>

#include "pretrained/foreign_tensors.h"

namespace asap::pretrained {
namespace {

tensor::Shape part_shape(const TensorOrigin& origin) {
  if (origin.stored.rank() > 0) return origin.stored;
  const auto parts = static_cast<std::int64_t>(origin.parts.size());
  return origin.shape.rank() == 1 ? tensor::Shape{origin.shape[0] / parts}
                                  : tensor::Shape{origin.shape[0] / parts, origin.shape[1]};
}

/// The parts one below the other, or the fused tensor.
tensor::Tensor<float> assemble(ForeignTensors& tensors, const TensorOrigin& origin) {
  if (!origin.fused.empty() && tensors.has(origin.fused.front()))
    return tensors.take(origin.fused.front(), origin.shape);
  tensor::Tensor<float> whole(origin.shape);
  float* to = whole.data();
  for (const std::string& part : origin.parts) {
    const tensor::Tensor<float> values = tensors.take(part, part_shape(origin));
    to = std::ranges::copy(values.flat(), to).out;
  }
  return whole;
}

/// All tokens get type 0, a second text what type 1 has beyond it.
void add_token_types(ForeignTensors& tensors, const ModelDescription& description,
                     io::TensorFile& weights) {
  if (description.token_types == 0) return;
  const std::int64_t width = description.model.width;
  const tensor::Tensor<float> types =
      tensors.take(token_type_name(description.family), {description.token_types, width});
  tensor::Tensor<float> positions = weights.at("embedding.position").to<float>();
  for (std::int64_t i = 0; i < positions.size(); ++i) positions[i] += types[i % width];
  weights.put("embedding.position", positions);
  if (description.token_types < 2) return;
  tensor::Tensor<float> segment({width});
  for (std::int64_t i = 0; i < width; ++i) segment[i] = types[width + i] - types[i];
  weights.put("embedding.segment", segment);
}

/// Weights and bias w, b for pixels normalised by m and s become those for kPixelMean m' and
/// kPixelDeviation s': w (p - m) / s + b = (w s'/s) (p - m')/s' + b + w (m' - m) / s.
void fold_normalisation(const ChannelNormalisation& pixels, tensor::Tensor<float>& weight,
                        tensor::Tensor<float>& bias) {
  const auto channels = std::ssize(pixels.mean);
  const std::int64_t each = weight.shape()[1] / channels;
  for (std::int64_t row = 0; row < weight.shape()[0]; ++row) {
    double shift = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
      const double mean = pixels.mean[static_cast<std::size_t>(c)];
      const double deviation = pixels.deviation[static_cast<std::size_t>(c)];
      for (std::int64_t i = 0; i < each; ++i) {
        float& value = weight[row * weight.shape()[1] + c * each + i];
        shift += value * (kPixelMean - mean) / deviation;
        value = static_cast<float>(value * (kPixelDeviation / deviation));
      }
    }
    bias[row] = static_cast<float>(bias[row] + shift);
  }
}

void fold_normalisation(const ChannelNormalisation& pixels, io::TensorFile& weights) {
  tensor::Tensor<float> weight = weights.at("embedding.patch.weight").to<float>();
  tensor::Tensor<float> bias = weights.at("embedding.patch.bias").to<float>();
  fold_normalisation(pixels, weight, bias);
  weights.put("embedding.patch.weight", weight);
  weights.put("embedding.patch.bias", bias);
}

}  // namespace

PretrainedWeights read_pretrained_weights(io::TensorFile file,
                                          const ModelDescription& description) {
  PretrainedWeights out;
  out.weights.source = file.source;
  ForeignTensors tensors(std::move(file), description.family);
  const std::vector<TensorOrigin> origins = tensor_origins(description);
  std::vector<std::string> known{token_type_name(description.family)};
  for (const TensorOrigin& origin : origins)
    known.insert(known.end(), origin.parts.begin(), origin.parts.end());
  tensors.expect(std::move(known));
  for (const TensorOrigin& origin : origins) {
    if (origin.optional && !tensors.has(origin.parts.front())) continue;
    out.weights.put(origin.name, assemble(tensors, origin));
  }
  add_token_types(tensors, description, out.weights);
  if (description.model.reads_images()) fold_normalisation(description.pixels, out.weights);
  out.left_out = tensors.rest();
  return out;
}

}  // namespace asap::pretrained
