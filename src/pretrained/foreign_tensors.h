#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/safetensors.h"
#include "pretrained/tensor_names.h"

namespace asap::pretrained {

/// The tensors of a file under the names of their family, of which each is taken once.
class ForeignTensors {
 public:
  /// DataError when the file holds no tensor by which the family is known.
  ForeignTensors(io::TensorFile file, Family family);

  /// The names that a model may hold.
  void expect(std::vector<std::string> known) { known_ = std::move(known); }
  bool has(const std::string& name) const { return tensors_.contains(name); }

  /// The values of a tensor. DataError names the tensor when it is missing (with the nearest known
  /// name), of another shape, of a type other than that of the tensors before, or not finite.
  tensor::Tensor<float> take(const std::string& name, const tensor::Shape& shape);

  /// What has not been taken, if it is known; DataError names the first unknown tensor.
  std::vector<std::string> rest() const;

 private:
  std::string find_prefix(const io::TensorFile& file) const;
  [[noreturn]] void fail_missing(const std::string& name) const;
  void check_type(const std::string& name, const io::StoredTensor& tensor);

  std::string source_;
  Family family_;
  std::map<std::string, io::StoredTensor> tensors_;
  std::set<std::string> taken_;
  std::vector<std::string> known_;
  std::string type_, first_name_;  // of the first tensor that was taken
};

}  // namespace asap::pretrained
