#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "tensor/core/view.h"

namespace asap::tensor {

/// Bytes to which every buffer is aligned: one cache line, one AVX-512 register.
inline constexpr std::size_t kAlignment = 64;

/// Owning row-major tensor, aligned, zero-initialised. Copies copy the values.
template <class T>
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(const Shape& shape) : shape_(shape), data_(allocate(shape.size())) {
    std::fill_n(data_.get(), shape.size(), T{});
  }
  Tensor(const Tensor& other) : Tensor(other.shape_) {
    std::copy_n(other.data(), other.size(), data());
  }
  Tensor& operator=(const Tensor& other) {
    if (this != &other) *this = Tensor(other);
    return *this;
  }
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;

  const Shape& shape() const { return shape_; }
  std::int64_t size() const { return data_ ? shape_.size() : 0; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T& operator[](std::int64_t index) { return data_[index]; }
  const T& operator[](std::int64_t index) const { return data_[index]; }

  TensorView<T> view() { return {data(), shape_}; }
  TensorView<const T> view() const { return {data(), shape_}; }
  VectorView<T> flat() { return view().flat(); }
  VectorView<const T> flat() const { return view().flat(); }
  /// The last dimension as columns, all others folded into rows.
  MatrixView<T> rows() { return view().rows(); }
  MatrixView<const T> rows() const { return view().rows(); }

 private:
  struct Free {
    void operator()(T* pointer) const { std::free(pointer); }
  };
  static T* allocate(std::int64_t count) {
    const std::size_t bytes =
        static_cast<std::size_t>(std::max<std::int64_t>(count, 1)) * sizeof(T);
    void* memory =
        std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
    if (!memory) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }

  Shape shape_{0};  // a default tensor holds nothing; a Shape() of rank 0 would hold one value
  std::unique_ptr<T[], Free> data_;
};

}  // namespace asap::tensor
