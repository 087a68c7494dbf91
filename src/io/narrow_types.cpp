#include "io/narrow_types.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace asap::io {
namespace {

float from_float16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  float size;
  if (exponent == 0) {
    size = std::ldexp(static_cast<float>(fraction), -24);
  } else if (exponent == 31) {
    size = fraction == 0 ? std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::quiet_NaN();
  } else {
    size = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -size : size;
}

float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::string widen(std::string_view data, float (*convert)(std::uint16_t)) {
  std::string out(data.size() / 2 * sizeof(float), '\0');
  for (std::size_t i = 0; i < data.size() / 2; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, data.data() + 2 * i, sizeof(bits));
    const float value = convert(bits);
    std::memcpy(out.data() + sizeof(float) * i, &value, sizeof(value));
  }
  return out;
}

}  // namespace

void take_elements(StoredTensor& tensor, const FileType& type, std::string_view data) {
  tensor.type = type.type;
  tensor.bytes = type.narrow != nullptr ? type.narrow->widen(data) : std::string(data);
  tensor.narrow_type = type.narrow != nullptr ? type.narrow->name : "";
}

std::string widen_float16(std::string_view data) { return widen(data, &from_float16); }

std::string widen_bfloat16(std::string_view data) { return widen(data, &from_bfloat16); }

}  // namespace asap::io
