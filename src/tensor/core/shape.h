#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "base/error.h"

namespace asap::tensor {

/// Sizes of a row-major tensor, outermost first. At most six dimensions, no allocation.
class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) {
    for (const std::int64_t size : sizes) append(size);
  }

  void append(std::int64_t size) {
    base::check(rank_ < kMaxRank, "Shape: more than six dimensions");
    base::check(size >= 0, "Shape: negative size");
    sizes_[rank_++] = size;
  }

  int rank() const { return rank_; }
  /// Size of dimension `index`; negative indices count from the last.
  std::int64_t operator[](int index) const { return sizes_[index < 0 ? rank_ + index : index]; }
  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }

  std::int64_t size() const {
    std::int64_t product = 1;
    for (const std::int64_t extent : *this) product *= extent;
    return product;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.sizes_[i] != b.sizes_[i]) return false;
    return true;
  }

  /// "[2, 3, 4]"
  std::string text() const {
    std::string out = "[";
    for (int i = 0; i < rank_; ++i) out += (i > 0 ? ", " : "") + std::to_string(sizes_[i]);
    return out + "]";
  }

 private:
  std::array<std::int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

}  // namespace asap::tensor
