#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

#include "tensor/core/tensor.h"

namespace asap::tensor {

/// Memory for everything that one forward (and backward) pass makes. Taking memory increments a
/// pointer; clear() forgets all of it at once and keeps the capacity, as one chunk from the next
/// take() on, so passes of one size allocate twice at most. An arena belongs to one thread.
class Arena {
 public:
  /// Uninitialised memory for `count` values, aligned to kAlignment.
  template <class T>
  T* take(std::int64_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena runs no destructors");
    return static_cast<T*>(take_bytes(static_cast<std::size_t>(count) * sizeof(T)));
  }
  template <class T>
  VectorView<T> vector(std::int64_t size) {
    return {take<T>(size), static_cast<std::size_t>(size)};
  }
  template <class T>
  MatrixView<T> matrix(std::int64_t rows, std::int64_t cols) {
    return {take<T>(rows * cols), rows, cols};
  }
  template <class T>
  TensorView<T> tensor(const Shape& shape) {
    return {take<T>(shape.size()), shape};
  }

  void clear() {
    chunk_ = 0;
    used_ = 0;
  }

  /// A point to which the arena can be rewound, for scratch of one call inside a longer pass.
  struct Mark {
    std::size_t chunk, used;
  };
  Mark mark() const { return {chunk_, used_}; }
  void rewind(Mark mark) {
    chunk_ = mark.chunk;
    used_ = mark.used;
  }

  std::size_t capacity_bytes() const;
  /// Most bytes in use at any moment so far, gaps at the ends of chunks included.
  std::size_t peak_bytes() const { return peak_; }

 private:
  void* take_bytes(std::size_t bytes);

  std::vector<Tensor<std::byte>> chunks_;
  std::size_t chunk_ = 0;            // index of the chunk in use
  std::size_t used_ = 0;             // bytes taken from it
  std::vector<std::size_t> before_;  // bytes of the chunks before each chunk
  std::size_t peak_ = 0;
};

/// Gives back on scope exit what was taken from an arena inside the scope.
class ArenaScope {
 public:
  explicit ArenaScope(Arena& arena) : arena_(arena), mark_(arena.mark()) {}
  ~ArenaScope() { arena_.rewind(mark_); }
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;

 private:
  Arena& arena_;
  Arena::Mark mark_;
};

}  // namespace asap::tensor
