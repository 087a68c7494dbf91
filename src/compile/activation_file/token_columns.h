#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compile/activation_file/activation_names.h"
#include "compile/activation_file/live_rows.h"
#include "io/safetensors.h"
#include "tensor/core/tensor.h"

namespace asap::compile {

/// Where the elements of one role of a layer stand in the file.
class TokenColumns {
 public:
  /// Tensors for each head: [B, N, D]. A tensor of all heads: [B, H, N, D], or [B, N, H * D] of
  /// `heads` heads. DataError names tensor, shape and type that cannot be; InternalError when
  /// `heads` is needed and below 1.
  TokenColumns(const io::TensorFile& file, const RoleTensors& tensors, std::int64_t heads);

  std::int64_t examples() const { return examples_; }
  std::int64_t tokens() const { return tokens_; }
  std::int64_t heads() const { return static_cast<std::int64_t>(heads_.size()); }
  std::int64_t width() const { return width_; }
  /// The first of the tensors.
  const std::string& name() const { return heads_[0].name; }
  std::string_view type() const { return io::file_type_name(*heads_[0].tensor); }
  const tensor::Shape& shape() const { return heads_[0].tensor->shape; }

  /// The live rows of every example, first ones first and zeros after them: [B * N, H * D].
  /// DataError with the place of a live value that is not finite or does not fit in float32.
  tensor::Tensor<float> read(const io::TensorFile& file, const LiveRows& live) const;

 private:
  /// One head: element (b, n, d) is at offset + b * example_stride + n * token_stride + d.
  struct Head {
    std::string name;
    const io::StoredTensor* tensor;
    std::int64_t offset, example_stride, token_stride;
  };

  void add_head(const io::TensorFile& file, const std::string& name);
  void add_all_heads(const io::TensorFile& file, const std::string& name, std::int64_t heads);
  template <class Source>
  void copy_head(const io::TensorFile& file, std::int64_t head, const LiveRows& live,
                 tensor::Tensor<float>& to) const;

  std::vector<Head> heads_;
  std::int64_t examples_ = 0, tokens_ = 0, width_ = 0;
};

/// H as tensors show it: their number, or the second axis of [B, H, N, D]; 0: they do not.
std::int64_t visible_heads(const io::TensorFile& file, const RoleTensors& tensors);

}  // namespace asap::compile
