#include "data/keypoints/descriptors.h"

#include <algorithm>
#include <cmath>

namespace asap::data {
namespace {

using config::DescriptorKind;

constexpr std::int64_t kBitsPerByte = 8;
constexpr std::int64_t kSiftWidth = 128;

void scale_to_length_one(tensor::VectorView<float> x) {
  double square = 0;
  for (const float value : x) square += static_cast<double>(value) * value;
  if (square == 0) return;
  const double factor = 1 / std::sqrt(square);
  for (float& value : x) value = static_cast<float>(value * factor);
}

}  // namespace

DescriptorKind resolve_descriptors(DescriptorKind kind, const io::StoredTensor& descriptors) {
  if (kind != DescriptorKind::automatic) return kind;
  if (descriptors.type == io::ElementType::uint8)
    return descriptors.shape[-1] == kSiftWidth ? DescriptorKind::histogram : DescriptorKind::bits;
  const tensor::Tensor<float> values = descriptors.to<float>();
  if (values.size() == 0) return DescriptorKind::vector;
  const auto [least, most] = std::ranges::minmax_element(values.flat());
  return *least >= 0 && *most > 1 ? DescriptorKind::histogram : DescriptorKind::vector;
}

std::int64_t decoded_width(DescriptorKind kind, std::int64_t width) {
  return kind == DescriptorKind::bits ? width * kBitsPerByte : width;
}

template <class T>
void decode_descriptor(DescriptorKind kind, tensor::VectorView<const T> stored,
                       tensor::VectorView<float> out) {
  if (kind == DescriptorKind::bits) {
    const float one = 1 / std::sqrt(static_cast<float>(out.size()));
    for (std::size_t i = 0; i < out.size(); ++i) {
      const int byte = static_cast<int>(stored[i / kBitsPerByte]);
      const int bit = byte >> (kBitsPerByte - 1 - static_cast<int>(i % kBitsPerByte)) & 1;
      out[i] = bit == 1 ? one : -one;
    }
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto value = static_cast<float>(stored[i]);
    out[i] = kind == DescriptorKind::histogram ? std::sqrt(value) : value;
  }
  scale_to_length_one(out);
}

const char* descriptor_kind_name(DescriptorKind kind) {
  switch (kind) {
    case DescriptorKind::automatic:
      return "automatic";
    case DescriptorKind::histogram:
      return "histogram";
    case DescriptorKind::vector:
      return "vector";
    case DescriptorKind::bits:
      return "bits";
  }
  throw base::InternalError("descriptor_kind_name: unknown kind");
}

template void decode_descriptor<float>(DescriptorKind, tensor::VectorView<const float>,
                                       tensor::VectorView<float>);
template void decode_descriptor<std::uint8_t>(DescriptorKind,
                                              tensor::VectorView<const std::uint8_t>,
                                              tensor::VectorView<float>);

}  // namespace asap::data
