#include "pretrained/foreign_tensors.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace asap::pretrained {
namespace {

constexpr const char* kOtherModel = "is config.json that of these weights?";

/// Older files call gain and offset of layer norms gamma and beta.
std::string modern_name(std::string name) {
  for (const auto& [old_ending, ending] :
       {std::pair(".gamma", ".weight"), std::pair(".beta", ".bias")})
    if (name.ends_with(old_ending)) {
      name.resize(name.size() - std::string_view(old_ending).size());
      return name + ending;
    }
  return name;
}

}  // namespace

ForeignTensors::ForeignTensors(io::TensorFile file, Family family)
    : source_(file.source), family_(family) {
  const std::string prefix = find_prefix(file);
  for (auto& [name, tensor] : file.tensors) {
    const bool inside = name.starts_with(prefix);
    tensors_.emplace(modern_name(inside ? name.substr(prefix.size()) : name), std::move(tensor));
  }
}

tensor::Tensor<float> ForeignTensors::take(const std::string& name, const tensor::Shape& shape) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail_missing(name);
  const io::StoredTensor& stored = found->second;
  check_type(name, stored);
  if (!(stored.shape == shape))
    throw base::DataError(source_ + ": tensor '" + name + "' has shape " + stored.shape.text() +
                              ", config.json needs " + shape.text(),
                          kOtherModel);
  tensor::Tensor<float> values = stored.to<float>();
  if (!std::ranges::all_of(values.flat(), [](float value) { return std::isfinite(value); }))
    throw base::DataError(source_ + ": tensor '" + name + "' holds values that are not finite",
                          "the file is damaged, or its training diverged");
  taken_.insert(name);
  return values;
}

std::vector<std::string> ForeignTensors::rest() const {
  std::vector<std::string> left;
  for (const auto& [name, tensor] : tensors_) {
    if (taken_.contains(name)) continue;
    if (!is_left_out(name, family_))
      throw base::DataError(source_ + ": tensor '" + name + "' (" + tensor.shape.text() +
                                ") is no part of a " + family_name(family_) + " of this size",
                            base::suggestion(name, known_));
    left.push_back(name);
  }
  return left;
}

std::string ForeignTensors::find_prefix(const io::TensorFile& file) const {
  for (const std::string& prefix : prefixes(family_))
    if (file.tensors.contains(prefix + marking_name(family_))) return prefix;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors) names.push_back(name);
  constexpr std::size_t kShown = 8;
  const bool all = names.size() <= kShown;
  names.resize(std::min(names.size(), kShown));
  throw base::DataError(source_ + ": holds no tensor '" + marking_name(family_) +
                            "', so it is no " + family_name(family_),
                        "it holds " + base::join(names, ", ") + (all ? "" : ", ..."));
}

void ForeignTensors::fail_missing(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& [present, tensor] : tensors_)
    if (std::ranges::find(known_, present) == known_.end()) names.push_back(present);
  const std::string nearest = base::nearest_name(name, names);
  throw base::DataError(
      source_ + ": tensor '" + name + "' is missing",
      nearest.empty() ? std::string(kOtherModel) : "the nearest name there is '" + nearest + "'");
}

void ForeignTensors::check_type(const std::string& name, const io::StoredTensor& tensor) {
  const std::string type(tensor.narrow_type.empty() ? io::element_name(tensor.type)
                                                    : tensor.narrow_type);
  if (tensor.type != io::ElementType::float32 && tensor.type != io::ElementType::float64)
    throw base::DataError(
        source_ + ": tensor '" + name + "' is of type " + type + ", not float32 or float64",
        "store the weights as float32");
  if (type_.empty()) {
    type_ = type;
    first_name_ = name;
  }
  if (type_ != type)
    throw base::DataError(
        source_ + ": tensor '" + name + "' is " + type + ", but '" + first_name_ + "' is " + type_,
        "store all weights as float32");
}

}  // namespace asap::pretrained
