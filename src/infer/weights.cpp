#include "infer/weights.h"

namespace asap::infer {

tensor::Tensor<float> take_weights(const io::TensorFile& file, const std::string& name,
                                   const tensor::Shape& shape) {
  const io::StoredTensor& stored = file.at(name);
  if (!(stored.shape == shape))
    throw base::DataError(file.source + ": tensor '" + name + "' has shape " + stored.shape.text() +
                              ", the model needs " + shape.text(),
                          "the checkpoint belongs to a model of another shape");
  return stored.to<float>();
}

AffineWeights take_linear(const io::TensorFile& file, const std::string& name, std::int64_t out,
                          std::int64_t in) {
  return {take_weights(file, name + ".weight", {out, in}),
          take_weights(file, name + ".bias", {out})};
}

AffineWeights take_norm(const io::TensorFile& file, const std::string& name, std::int64_t width) {
  return {take_weights(file, name + ".weight", {width}),
          take_weights(file, name + ".bias", {width})};
}

}  // namespace asap::infer
