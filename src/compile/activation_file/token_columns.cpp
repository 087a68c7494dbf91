#include "compile/activation_file/token_columns.h"

#include <cmath>
#include <cstring>

#include "base/counted.h"
#include "base/text.h"

namespace asap::compile {
namespace {

void require_float(const io::TensorFile& file, const std::string& name) {
  const io::StoredTensor& stored = file.at(name);
  if (stored.type != io::ElementType::float32 && stored.type != io::ElementType::float64)
    refuse_tensor(file, name,
                  "expected float64, float32, float16 or bfloat16, got " +
                      std::string(io::file_type_name(stored)));
}

/// "[0, 3, 1]" of an element of a tensor.
std::string place(const tensor::Shape& shape, std::int64_t element) {
  std::string text;
  for (int axis = shape.rank(); axis-- > 0; element /= shape[axis])
    text = std::to_string(element % shape[axis]) + (text.empty() ? "" : ", ") + text;
  return "[" + text + "]";
}

}  // namespace

std::int64_t visible_heads(const io::TensorFile& file, const RoleTensors& tensors) {
  if (tensors.per_head) return std::ssize(tensors.names);
  const tensor::Shape& shape = file.at(tensors.names.at(0)).shape;
  return shape.rank() == 4 ? shape[1] : 0;
}

TokenColumns::TokenColumns(const io::TensorFile& file, const RoleTensors& tensors,
                           std::int64_t heads) {
  for (const std::string& name : tensors.names) {
    require_float(file, name);
    if (tensors.per_head)
      add_head(file, name);
    else
      add_all_heads(file, name, heads);
  }
}

void TokenColumns::add_head(const io::TensorFile& file, const std::string& name) {
  const io::StoredTensor& stored = file.at(name);
  const tensor::Shape& shape = stored.shape;
  if (shape.rank() != 3 || shape.size() == 0)
    refuse_tensor(file, name, "expected [examples, tokens, width], got " + shape.text());
  if (!heads_.empty() && !(shape == heads_[0].tensor->shape))
    refuse_tensor(file, name,
                  "expected " + heads_[0].tensor->shape.text() + " as " + heads_[0].name +
                      ", got " + shape.text());
  examples_ = shape[0];
  tokens_ = shape[1];
  width_ = shape[2];
  heads_.push_back({name, &stored, 0, tokens_ * width_, width_});
}

void TokenColumns::add_all_heads(const io::TensorFile& file, const std::string& name,
                                 std::int64_t heads) {
  const io::StoredTensor& stored = file.at(name);
  const tensor::Shape& shape = stored.shape;
  if ((shape.rank() != 3 && shape.rank() != 4) || shape.size() == 0)
    refuse_tensor(
        file, name,
        "expected [examples, heads, tokens, width] or [examples, tokens, heads * width], got " +
            shape.text());
  examples_ = shape[0];
  if (shape.rank() == 4) {
    tokens_ = shape[2];
    width_ = shape[3];
    for (std::int64_t h = 0; h < shape[1]; ++h)
      heads_.push_back({name, &stored, h * tokens_ * width_, shape[1] * tokens_ * width_, width_});
    return;
  }
  base::check(heads >= 1, "TokenColumns: the number of heads is not known");
  if (shape[2] % heads != 0)
    refuse_tensor(file, name,
                  "last dimension " + std::to_string(shape[2]) + " is not a multiple of " +
                      base::counted(heads, "head"));
  tokens_ = shape[1];
  width_ = shape[2] / heads;
  for (std::int64_t h = 0; h < heads; ++h)
    heads_.push_back({name, &stored, h * width_, tokens_ * shape[2], shape[2]});
}

template <class Source>
void TokenColumns::copy_head(const io::TensorFile& file, std::int64_t head, const LiveRows& live,
                             tensor::Tensor<float>& to) const {
  const Head& from = heads_[static_cast<std::size_t>(head)];
  for (std::int64_t b = 0; b < examples_; ++b) {
    const std::int64_t count =
        live.all() ? tokens_ : std::ssize(live.rows[static_cast<std::size_t>(b)]);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t token =
          live.all() ? i : live.rows[static_cast<std::size_t>(b)][static_cast<std::size_t>(i)];
      const std::int64_t first = from.offset + b * from.example_stride + token * from.token_stride;
      float* row = to.data() + ((b * tokens_ + i) * heads() + head) * width_;
      for (std::int64_t d = 0; d < width_; ++d) {
        Source value;
        std::memcpy(&value, from.tensor->bytes.data() + (first + d) * std::int64_t{sizeof(Source)},
                    sizeof(Source));
        row[d] = static_cast<float>(value);
        if (std::isfinite(row[d])) continue;
        const std::string shown = base::format_number(static_cast<double>(value));
        refuse_tensor(file, from.name,
                      "holds " + shown + " at " + place(from.tensor->shape, first + d) +
                          (std::isfinite(value) ? ", which does not fit in float32"
                                                : ", expected finite numbers"),
                      "where a token is padding, say so with mask or lengths");
      }
    }
  }
}

tensor::Tensor<float> TokenColumns::read(const io::TensorFile& file, const LiveRows& live) const {
  tensor::Tensor<float> out({examples_ * tokens_, heads() * width_});
  for (std::int64_t head = 0; head < heads(); ++head) {
    if (heads_[static_cast<std::size_t>(head)].tensor->type == io::ElementType::float64)
      copy_head<double>(file, head, live, out);
    else
      copy_head<float>(file, head, live, out);
  }
  return out;
}

}  // namespace asap::compile
